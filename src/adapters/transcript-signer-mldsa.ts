import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync, sign, verify } from '../primitives/index.ts';
import type { Party, TranscriptSigner } from '../core/qkd/authentication.ts';

/** One context for one purpose: these keys sign nothing else, and nothing else verifies as a transcript. */
const context = Buffer.from('qflare/qkd-transcript/v1');

type TranscriptKeys = Readonly<Record<Party, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>>;

/** Fresh ML-DSA-65 key pairs for both parties, for simulations where both live in one process. */
export function generateTranscriptKeys(): TranscriptKeys {
  return { alice: generateKeyPairSync('ml-dsa-65'), bob: generateKeyPairSync('ml-dsa-65') };
}

/** Signs the first epoch's transcripts with ML-DSA-65; the party's name is part of what is signed. */
export function createMlDsaTranscriptSigner(keys: TranscriptKeys): TranscriptSigner {
  const preimage = (by: Party, transcript: Uint8Array) => Buffer.concat([Buffer.from(`${by}\0`), transcript]);
  return {
    sign: (by, transcript) =>
      new Uint8Array(sign(null, preimage(by, transcript), { key: keys[by].privateKey, context })),
    verify: (by, transcript, signature) =>
      verify(null, preimage(by, transcript), { key: keys[by].publicKey, context }, signature),
  };
}
