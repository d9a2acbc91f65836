import { initialParameters, manifestOf } from '../core/learning/model-spec.ts';
import { decodeSafetensors, encodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/** The run's models: content-addressed safetensors files, each with its version and its parent's hash. */
export type Models = {
  /** The hash of the manifest: the layout of every vector in the run. */
  readonly layout: string;
  /** Parameters by the hash of their file. */
  parameters(hash: string): Promise<Float32Array>;
  /** Writes a model's file and gives its row; the row becomes part of the run when it is committed. */
  write(
    parameters: Float32Array,
    place: { version: number; parentHash: string | null; round: number },
  ): Promise<ModelRow>;
  /** The model that every run of this plan starts from. */
  writeInitial(): Promise<ModelRow>;
};

export function createModels({
  plan,
  orgId,
  runId,
  blobs,
  crypto,
}: Pick<CoordinatorParts, 'plan' | 'orgId' | 'runId' | 'blobs' | 'crypto'>): Models {
  const manifest = manifestOf(plan.model);
  let cached: { hash: string; parameters: Float32Array } | undefined;

  async function write(
    parameters: Float32Array,
    { version, parentHash, round }: { version: number; parentHash: string | null; round: number },
  ): Promise<ModelRow> {
    const metadata = { format: 'pt', 'qflare.version': String(version), 'qflare.parent': parentHash ?? '' };
    const hash = await blobs.put(encodeSafetensors(manifest, parameters, metadata));
    cached = { hash, parameters };
    return { orgId, runId, version, hash, parentHash, round };
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
      }),
  };
}
