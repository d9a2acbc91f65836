import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import type { Crypto, SigningKey } from '../../ports/crypto.ts';
import { type Plan, planHash } from '../plan/plan.ts';
import { canonicalBytes, type Json } from '../protocol/canonical-json.ts';
import { purposes } from '../protocol/purposes.ts';
import { schemeOf } from '../protocol/signature-scheme.ts';
import { suites } from '../protocol/suite.ts';

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** What a model is: where it comes from, who took part, by which rules, at what cost of privacy, under which suite. */
const modelCard = z.strictObject({
  version: z.literal(1),
  orgId: z.string(),
  runId: z.string(),
  /** SHA-256 of the model's file. */
  model: hex32,
  modelVersion: z.int().min(0),
  round: z.int().min(0),
  /** SHA-256 of the model that it continues; null for the first of a run. */
  parent: hex32.nullable(),
  planHash: hex32,
  /** Pseudonyms of the clients whose updates it was made of, sorted; null where sampling is to stay secret. */
  participants: z.array(z.string()).nullable(),
  rules: z.strictObject({
    pipeline: z.json(),
    detector: z.string(),
    codec: z.string(),
    learning: z.json(),
  }),
  /** What has been spent up to this model; null where the plan gives no differential privacy. */
  privacy: z.strictObject({ epsilon: z.number(), delta: z.number(), adjacency: z.string() }).nullable(),
  suite: z.strictObject({
    id: z.int(),
    kem: z.string(),
    kdf: z.string(),
    aead: z.string(),
    signature: z.string(),
    /** What this card is signed with; cards of before say nothing and are ML-DSA-65. */
    proof: z.enum(['ML-DSA-65', 'ML-DSA-87']).optional(),
    channel: z.string(),
  }),
});
const signedModelCard = z.strictObject({ card: modelCard, publicKey: z.base64(), signature: z.base64() });

export type ModelCard = z.infer<typeof modelCard>;
export type SignedModelCard = z.infer<typeof signedModelCard>;

/** Puts a card together: the plan says the rules and the suite. */
export function modelCardOf(
  plan: Plan,
  facts: Pick<
    ModelCard,
    'orgId' | 'runId' | 'model' | 'modelVersion' | 'round' | 'parent' | 'participants' | 'privacy'
  >,
): ModelCard {
  const { kem, kdf, aead, signature, provedBy: proof } = suites[plan.security.suite];
  const { pipeline, codec } = plan.aggregation;
  return {
    version: 1,
    ...facts,
    participants: facts.participants?.toSorted() ?? null,
    planHash: planHash(plan),
    rules: {
      pipeline: pipeline as unknown as ModelCard['rules']['pipeline'],
      detector: plan.detection.detector,
      codec,
      learning: plan.learning as unknown as ModelCard['rules']['learning'],
    },
    suite: { id: plan.security.suite, kem, kdf, aead, signature, proof, channel: plan.security.channel },
  };
}

/**
 * The name of a client on cards: stable within a run, and nothing to who does not hold the run's key.
 *
 * Formula: HMAC-SHA-256(key, client id)[0:16] in hexadecimal.
 */
export function pseudonymOf(clientId: string, key: Uint8Array): string {
  return hmac(sha256, key, new TextEncoder().encode(clientId)).slice(0, 16).toHex();
}

export function signModelCard(card: ModelCard, key: SigningKey): SignedModelCard {
  const signature = key.sign(purposes.modelCard, canonicalBytes(card as unknown as Json)).toBase64();
  return { card, publicKey: key.publicKey.toBase64(), signature };
}

/**
 * Reads a card as it came and checks its signature; a card that is not whole, not signed, or signed with another scheme than
 * it says gives undefined.
 */
export async function verifyModelCard(
  value: unknown,
  crypto: Pick<Crypto, 'verify'>,
): Promise<SignedModelCard | undefined> {
  const parsed = signedModelCard.safeParse(value);
  if (!parsed.success) return undefined;
  const { card, publicKey, signature } = parsed.data;
  const { proof = 'ML-DSA-65' } = card.suite;
  if (schemeOf('publicKeyBytes', Uint8Array.fromBase64(publicKey).length) !== proof) return undefined;
  const isSigned = await crypto.verify(
    Uint8Array.fromBase64(publicKey),
    purposes.modelCard,
    canonicalBytes(card as unknown as Json),
    Uint8Array.fromBase64(signature),
  );
  return isSigned ? parsed.data : undefined;
}
