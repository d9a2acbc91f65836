import type { PreSharedKey, RoundKey } from '../../ports/crypto.ts';
import { openChunks } from '../protocol/envelope.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';
import type { Opened, Verified } from './stages.ts';

/**
 * Opens a verified envelope under the key of the round, and the pre-shared key that its suite asks for.
 *
 * Promises: a wrong encapsulation is not seen at decapsulation (implicit rejection, FIPS 203) but at the first chunk's
 * tag; both give the same refusal.
 */
export async function openEnvelope(
  { envelope }: Verified,
  roundKey: RoundKey,
  psk?: PreSharedKey,
): Promise<Outcome<Opened>> {
  const aead = await roundKey.open(envelope.enc, envelope.headerBytes, psk);
  const payload = aead && openChunks(aead, envelope);
  if (payload === undefined) return rejected('bad-ciphertext', 'authentication failed');
  return accepted({ envelope, payload } as Opened);
}
