import type { Crypto, PreSharedKey, SigningKey } from '../../ports/crypto.ts';
import {
  type EnvelopeHeader,
  encodeEnvelope,
  encodeHeader,
  envelopeRoom,
  sealChunks,
  signedBytes,
} from './envelope.ts';
import { purposes } from './purposes.ts';

/**
 * Seals a payload to the round's public key and signs it: the bytes that travel and rest. `room` gives the memory that
 * they are written to; fresh unless given.
 */
export async function sealEnvelope(
  header: Omit<EnvelopeHeader, 'nonce' | 'plaintextBytes'>,
  payload: Uint8Array,
  keys: { readonly round: Uint8Array; readonly device: SigningKey; readonly psk?: PreSharedKey | undefined },
  crypto: Crypto,
  room?: (bytes: number) => Uint8Array,
): Promise<Uint8Array> {
  const headerBytes = encodeHeader({ ...header, nonce: crypto.randomBytes(16), plaintextBytes: payload.length });
  const { enc, aead } = await crypto.seal(keys.round, headerBytes, keys.psk);
  const { bytes, head, chunks: place } = envelopeRoom(headerBytes, header.suite, payload.length, room);
  const chunks = sealChunks(aead, payload, place);
  const chunkHashes = chunks.map(crypto.sha256);
  const message = signedBytes(headerBytes, enc, chunkHashes, crypto.sha256);
  const signature = keys.device.sign(purposes.envelope, message);
  head.set(encodeEnvelope({ headerBytes, enc, chunkHashes, signature, chunks: [] }));
  return bytes;
}
