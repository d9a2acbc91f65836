import { initialParameters, manifestOf } from '../core/learning/model-spec.ts';
import { decodeSafetensors, encodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import { planHash } from '../core/plan/plan.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import { modelCardOf, pseudonymOf, signModelCard } from '../core/transparency/model-card.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/** The run's models: content-addressed safetensors files, each with its version, its parent's hash and a signed card. */
export type Models = {
  /** The hash of the manifest: the layout of every vector in the run. */
  readonly layout: string;
  /** Parameters by the hash of their file. */
  parameters(hash: string): Promise<Float32Array>;
  /** Writes a model's file and gives its row; the row becomes part of the run when it is committed. */
  write(parameters: Float32Array, place: Place): Promise<Written>;
  /** The model that every run of this plan starts from. */
  writeInitial(): Promise<Written>;
};

type Place = {
  readonly version: number;
  readonly parentHash: string | null;
  readonly round: number;
  /** The clients whose updates the model was made of. */
  readonly clientIds: readonly string[];
};

/** A model's row, and the hash of its signed card. */
type Written = { readonly model: ModelRow; readonly card: string };

export function createModels({ plan, orgId, runId, blobs, crypto, proofKeys }: CoordinatorParts): Models {
  const manifest = manifestOf(plan.model);
  let cached: { hash: string; parameters: Float32Array } | undefined;

  async function write(parameters: Float32Array, place: Place): Promise<Written> {
    const { version, parentHash, round } = place;
    const metadata = {
      format: 'pt',
      'qflare.version': String(version),
      'qflare.parent': parentHash ?? '',
      'qflare.plan': planHash(plan),
    };
    const hash = await blobs.put(encodeSafetensors(manifest, parameters, metadata));
    cached = { hash, parameters };
    const card = modelCardOf(plan, {
      orgId,
      runId,
      model: hash,
      modelVersion: version,
      round,
      parent: parentHash,
      participants: place.clientIds.map((clientId) => pseudonymOf(clientId, proofKeys.pseudonym)),
      privacy: null,
    });
    const signed = signModelCard(card, proofKeys.modelCard);
    return {
      model: { orgId, runId, version, hash, parentHash, round },
      card: await blobs.put(canonicalBytes(signed as unknown as Json)),
    };
  }

  return {
    layout: crypto.sha256(canonicalBytes(manifest as unknown as Json)).toHex(),
    async parameters(hash) {
      if (cached?.hash === hash) return cached.parameters;
      const bytes = await blobs.get(hash);
      if (bytes === undefined) throw new Error(`Cannot read model ${hash} as its file must exist: there is none`);
      const parameters = valuesFor(manifest, decodeSafetensors(bytes));
      cached = { hash, parameters };
      return parameters;
    },
    write,
    writeInitial: () =>
      write(initialParameters(plan.model, createRng(plan.seed).child('initial-model')), {
        version: 0,
        parentHash: null,
        round: 0,
        clientIds: [],
      }),
  };
}
