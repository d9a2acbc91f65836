import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { type ModelCard, modelCardOf, pseudonymOf, signModelCard } from '../core/transparency/model-card.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/** The clients whose updates a model was made of, null where that is secret; and what privacy was spent up to it. */
export type CardFacts = { readonly clientIds: readonly string[] | null; readonly privacy: ModelCard['privacy'] };

/**
 * Writes the signed card of a model as a blob and gives its hash, which the journal names beside the model's. On it
 * clients have pseudonyms.
 */
export function writeCard(
  { plan, blobs, proofKeys }: Pick<CoordinatorParts, 'plan' | 'blobs' | 'proofKeys'>,
  model: ModelRow,
  facts: CardFacts,
): Promise<string> {
  const card = modelCardOf(plan, {
    orgId: model.orgId,
    runId: model.runId,
    model: model.hash,
    modelVersion: model.version,
    round: model.round,
    parent: model.parentHash,
    participants: facts.clientIds?.map((clientId) => pseudonymOf(clientId, proofKeys.pseudonym)) ?? null,
    privacy: facts.privacy,
  });
  return blobs.put(canonicalBytes(signModelCard(card, proofKeys.modelCard) as unknown as Json));
}
