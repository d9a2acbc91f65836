import { isCertified } from '../core/protocol/key-certificate.ts';
import { announcementBytes, type SignedAnnouncement } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Identity } from '../ports/identity.ts';
import { TransportError } from '../ports/transport.ts';

/**
 * Whether an announcement is the coordinator's: signed by a key that the root key, known since enrolment, has certified
 * for this run and whose time has not run out. A key of an older version than one that was seen is refused, for good: it was
 * replaced.
 *
 * Errors: TransportError for a key that has ended by this machine's clock, which may be the one that is wrong.
 */
export function createAnnouncementTrust(parts: {
  readonly identity: Identity;
  readonly crypto: Pick<Crypto, 'verify'>;
  readonly nowMs: () => number;
  readonly save: (part: Pick<Identity, 'announcementVersion'>) => Promise<void>;
}): (message: SignedAnnouncement) => Promise<boolean> {
  const { identity, crypto, nowMs, save } = parts;
  const root = Uint8Array.fromBase64(identity.coordinatorKey);
  let version = identity.announcementVersion ?? 1;
  let trusted = '';
  let endsAtMs = 0;

  return async ({ announcement, signature, certificate }) => {
    if (certificate.version < version) return false;
    // One scheme for the root and what it certifies: a weaker key below it would decide.
    if (Uint8Array.fromBase64(certificate.publicKey).length !== root.length) return false;
    const isKnown =
      certificate.publicKey === trusted && certificate.version === version && certificate.endsAtMs === endsAtMs;
    if (!isKnown) {
      if (!(await isCertified(root, identity, certificate, crypto))) return false;
      if (certificate.version > version) await save({ announcementVersion: certificate.version });
      version = certificate.version;
      trusted = certificate.publicKey;
      endsAtMs = certificate.endsAtMs;
    }
    if (nowMs() >= certificate.endsAtMs) {
      const ended = new Date(certificate.endsAtMs).toISOString();
      throw new TransportError(
        'security',
        `The coordinator's announcement key ended at ${ended}, by this machine's clock`,
      );
    }
    const key = Uint8Array.fromBase64(trusted);
    const bytes = announcementBytes(announcement);
    return crypto.verify(key, purposes.announcement, bytes, Uint8Array.fromBase64(signature));
  };
}
