/** A key-encryption key in a token, by its label and version. Its bytes never leave the token. */
export type KmsKey = { readonly label: string; readonly version: number; readonly createdAtMs: number };

/**
 * Where key-encryption keys live: a hardware token, a cloud's key management, a file. Shaped after PKCS#11: objects are
 * found by label, made inside, and wrap and unwrap without being shown (C_FindObjects, C_GenerateKey, C_WrapKey,
 * C_UnwrapKey, C_DestroyObject).
 */
export type Kms = {
  /** What it is, for people. */
  readonly description: string;
  /** The keys of a label, oldest first. */
  find(label: string): Promise<readonly KmsKey[]>;
  /** Makes the next version of a label's key. */
  generate(label: string, nowMs: number): Promise<KmsKey>;
  /** Wraps a secret; what is said beside it must be said again to unwrap it. */
  wrap(key: KmsKey, secret: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
  /** The secret. Rejects with KmsError when key, wrapping or what is said beside it is another. */
  unwrap(key: KmsKey, wrapped: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
  destroy(key: KmsKey): Promise<void>;
};

/** The token does not do what was asked: wrong unlocking, unknown key, changed bytes. Never followed by a weaker way. */
export class KmsError extends Error {
  override readonly name = 'KmsError';
}
