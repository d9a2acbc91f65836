import {
  certifyKey,
  type CertifiedRun,
  type CertifiedVersion,
  type KeyCertificate,
} from '../core/protocol/key-certificate.ts';
import type { SigningKey } from '../ports/crypto.ts';

/** The key that signs announcements, and what the root key says of it. It may be replaced while a run goes on. */
export type Announcer = {
  /** Given at enrolment: what devices hold announcements against. */
  readonly rootKey: Uint8Array;
  current(): { readonly key: SigningKey; readonly certificate: KeyCertificate };
  replace(key: SigningKey, next: CertifiedVersion): void;
};

export function createAnnouncer(
  root: SigningKey,
  run: CertifiedRun,
  first: SigningKey,
  version: CertifiedVersion = { version: 1, endsAtMs: Number.MAX_SAFE_INTEGER },
): Announcer {
  let current = { key: first, certificate: certifyKey(root, run, first.publicKey, version) };
  return {
    rootKey: root.publicKey,
    current: () => current,
    replace(key, next) {
      current = { key, certificate: certifyKey(root, run, key.publicKey, next) };
    },
  };
}
