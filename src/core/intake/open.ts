import type { Aead, Crypto, PreSharedKey, RoundKey } from '../../ports/crypto.ts';
import { openChunk } from '../protocol/envelope.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';
import type { Opened, Verified } from './stages.ts';
import { isChunk } from './verify.ts';

/** Gives sealed chunk i of an envelope: from memory, or from where it rests. */
export type SealedChunks = (i: number) => Uint8Array | Promise<Uint8Array>;

/**
 * Opens a verified envelope under the key of the round, and the pre-shared key that its suite asks for, one chunk at a
 * time.
 *
 * Promises: a chunk is opened when its hash is the signed one; a wrong encapsulation is not seen at decapsulation
 * (implicit rejection, FIPS 203) but at the first chunk's tag; both give the same refusal.
 */
export async function openEnvelope(
  verified: Verified,
  chunkAt: SealedChunks,
  keys: { readonly round: RoundKey; readonly psk?: PreSharedKey | undefined },
  crypto: Crypto,
): Promise<Outcome<Opened>> {
  const aead = await keys.round.open(verified.head.enc, verified.head.headerBytes, keys.psk);
  if (aead === undefined) return rejected('bad-ciphertext', 'authentication failed');
  const opened: Omit<Opened, symbol> = { payload: () => parts(verified, chunkAt, aead, crypto) };
  return accepted(opened as Opened);
}

async function* parts(
  verified: Verified,
  chunkAt: SealedChunks,
  aead: Aead,
  crypto: Crypto,
): AsyncGenerator<Outcome<Uint8Array>> {
  const count = verified.head.chunkHashes.length;
  for (let i = 0; i < count; i++) {
    const sealed = await chunkAt(i);
    const isSigned = isChunk(verified, i, sealed, crypto);
    const part = isSigned ? openChunk(aead, i, count, sealed) : undefined;
    if (part === undefined) {
      yield rejected('bad-ciphertext', isSigned ? 'authentication failed' : `chunk ${i} does not match its hash`);
      return;
    }
    yield accepted(part);
  }
}
