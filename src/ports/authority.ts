import type { revocationReasons } from '../core/protocol/revocation-reasons.ts';

/** A certificate that the authority has issued, as its register knows it. */
export type CertificateRecord = {
  /** Hexadecimal, as OpenSSL prints it without leading zeros. */
  readonly serial: string;
  /** Whom it names: a device id. */
  readonly subject: string;
  /** Which of the authority's own certificates has signed it. */
  readonly generation: number;
  readonly algorithm: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly revokedAtMs: number | null;
  readonly reason: RevocationReason | null;
};

/** Why a certificate is worth nothing any more; the names are those of RFC 5280, section 5.3.1. */
export type RevocationReason = (typeof revocationReasons)[number];

/** One of the authority's own certificates. While the certificates under a former one last, both are trusted. */
export type Generation = {
  readonly number: number;
  readonly state: 'active' | 'retired';
  readonly notAfterMs: number;
  /** Self-signed, PEM: what is trusted. */
  readonly certificate: string;
  /** The same key, signed by the generation before it: for those who trust that one only. */
  readonly cross: string | null;
};

/** What a server needs to judge certificates: PEM, a list of revoked ones for each authority that is trusted. */
export type Trust = { readonly ca: readonly string[]; readonly crl: readonly string[] };

/** An authority that should lead to its root and does not: nothing is issued, and nobody is let in. */
export class AnchorError extends Error {
  override readonly name = 'AnchorError';
}

/**
 * An authority of certificates for devices.
 *
 * Promises: a change is on disk before it is used; a serial number is never used twice; what was revoked stays revoked.
 */
export type CertificateAuthority = {
  /** The certificate for a request, when its own signature holds and its key has the algorithm that is asked for. */
  issue(request: string, subject: string): Promise<{ certificate: string; record: CertificateRecord } | undefined>;
  /** Undefined where there is no such certificate. */
  revoke(serial: string, reason: RevocationReason): Promise<CertificateRecord | undefined>;
  /** Every certificate of a device that still holds. */
  revokeSubject(subject: string, reason: RevocationReason): Promise<readonly CertificateRecord[]>;
  /** A new key and certificate in place of the one in use; certificates under the former hold until they end. */
  rotate(): Promise<Generation>;
  /** Puts the authority in use under an offline root that has signed its key, for good. */
  anchor(by: { readonly root: string; readonly certificate: string }): Promise<void>;
  /** Lists of revoked certificates anew, where the ones that are there are past half of their time. */
  refresh(): Promise<void>;
  /** Whether it also answers requests of devices whose key stores know EC only. */
  readonly isDual: boolean;
  certificates(): readonly CertificateRecord[];
  generations(): readonly Generation[];
  /** What the register says of a serial number, by the authority's clock. */
  standingOf(serial: string): 'valid' | 'revoked' | 'expired' | 'unknown';
  trust(): Trust;
  /** Calls back after each change of what is trusted or revoked; gives the function that ends it. */
  onChange(listener: () => void): () => void;
};
