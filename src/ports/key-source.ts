/** A key that two parties share, named by an id that may be public. */
export type SharedKey = { readonly keyId: string; readonly bytes: Uint8Array };

/** The TLS towards a key source, by name: vendors speak classical TLS. */
export type KeySourceTlsProfile = 'post-quantum' | 'classical';

export type KeySourceStatus = {
  /** What the keys rest on, as the far end states it; `unknown` when it does not. */
  readonly source: 'simulated' | 'unknown';
  /** The named TLS profile towards the key source: shown wherever a status is shown. */
  readonly tlsProfile: string;
  /** The key agreement of that connection, where TLS says it. */
  readonly tlsGroup: string | undefined;
  readonly storedKeyCount: number;
  readonly keySizeBits: number;
  readonly keysPerRequestMax: number;
};

/**
 * A source of keys shared with one named peer (ETSI GS QKD 014 in shape). Such a key is mixed into a key schedule,
 * never used instead of ML-KEM and X25519.
 */
export type KeySource = {
  status(): Promise<KeySourceStatus>;
  /** Fresh keys for this side to use first; the peer collects them by id. */
  reserve(request: { readonly count: number; readonly sizeBits: number }): Promise<SharedKey[]>;
  /** The peer's keys by id, each once. */
  collect(keyIds: readonly string[]): Promise<SharedKey[]>;
};
