import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { type ModelCard, modelCardOf, pseudonymOf, signModelCard } from '../core/transparency/model-card.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/**
 * Writes the signed card of a model as a blob and gives its hash, which the journal names beside the model's.
 *
 * `clientIds` are the clients whose updates the model was made of; on the card they have pseudonyms.
 */
export function writeCard(
  { plan, blobs, proofKeys }: Pick<CoordinatorParts, 'plan' | 'blobs' | 'proofKeys'>,
  model: ModelRow,
  facts: { readonly clientIds: readonly string[]; readonly privacy: ModelCard['privacy'] },
): Promise<string> {
  const card = modelCardOf(plan, {
    orgId: model.orgId,
    runId: model.runId,
    model: model.hash,
    modelVersion: model.version,
    round: model.round,
    parent: model.parentHash,
    participants: facts.clientIds.map((clientId) => pseudonymOf(clientId, proofKeys.pseudonym)),
    privacy: facts.privacy,
  });
  return blobs.put(canonicalBytes(signModelCard(card, proofKeys.modelCard) as unknown as Json));
}
