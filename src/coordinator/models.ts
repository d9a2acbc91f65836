import { initialParameters } from '../core/learning/model-spec.ts';
import { decodeVectors, encodeVectors, type Vectors } from '../core/learning/vectors.ts';
import { decodeSafetensors, encodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import { planManifest } from '../core/plan/learning.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import type { GlobalState } from '../core/round/global-step.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/** What is stored beside a model, each in a file of its own: the model's file names its hash. */
const companions = ['optimizer', 'control'] as const;

type Companion = (typeof companions)[number];

/**
 * The run's models: content-addressed safetensors files, each with its version and its parent's hash. A model's file
 * also names the hashes of its companions, so that its own hash stands for everything the next round starts from.
 */
export type Models = {
  /** The hash of the manifest: the layout of every vector in the run. */
  readonly layout: string;
  /** Parameters by the hash of their file. */
  parameters(hash: string): Promise<Float32Array>;
  /** A model with all that the next round starts from. */
  state(model: Pick<ModelRow, 'hash' | 'parentHash'>): Promise<GlobalState>;
  /** Writes a model's file and gives its row; the row becomes part of the run when it is committed. */
  write(
    parameters: Float32Array,
    place: { version: number; parentHash: string | null; round: number },
    beside?: Readonly<Partial<Record<Companion, Vectors>>>,
  ): Promise<ModelRow>;
  /** The model that every run of this plan starts from. */
  writeInitial(): Promise<ModelRow>;
  /** The hashes of a model's companions. */
  companionHashes(hash: string): Promise<Readonly<Partial<Record<Companion, string>>>>;
  /** Removes companions of a model that no round starts from any more, unless `newer` has the same ones. */
  forgetCompanions(hash: string, newer: string): Promise<void>;
};

type Loaded = {
  readonly hash: string;
  readonly parameters: Float32Array;
  readonly metadata: Readonly<Record<string, string>>;
};

export function createModels({
  plan,
  orgId,
  runId,
  blobs,
  crypto,
}: Pick<CoordinatorParts, 'plan' | 'orgId' | 'runId' | 'blobs' | 'crypto'>): Models {
  const manifest = planManifest(plan);
  let cached: Loaded | undefined;
  /** Of the newest models. */
  const metadataByHash = new Map<string, Loaded['metadata']>();

  async function read(hash: string): Promise<Uint8Array> {
    const bytes = await blobs.get(hash);
    if (bytes === undefined) throw new Error(`Cannot read model ${hash} as its file must exist: there is none`);
    return bytes;
  }

  async function load(hash: string): Promise<Loaded> {
    if (cached?.hash === hash) return cached;
    const file = decodeSafetensors(await read(hash));
    return remember({ hash, parameters: valuesFor(manifest, file), metadata: file.metadata });
  }

  function remember(loaded: Loaded): Loaded {
    cached = loaded;
    metadataByHash.set(loaded.hash, loaded.metadata);
    return loaded;
  }

  async function companionHashes(hash: string): Promise<Partial<Record<Companion, string>>> {
    const metadata = metadataByHash.get(hash) ?? (await load(hash)).metadata;
    const named = companions.map((name) => [name, metadata[keyOf(name)]] as const);
    return Object.fromEntries(named.filter(([, value]) => value !== undefined));
  }

  async function vectorsAt(hash: string | undefined): Promise<Vectors> {
    return hash === undefined ? {} : decodeVectors(await read(hash)).vectors;
  }

  const write: Models['write'] = async (parameters, { version, parentHash, round }, beside = {}) => {
    const metadata: Record<string, string> = {
      format: 'pt',
      'qflare.version': String(version),
      'qflare.parent': parentHash ?? '',
    };
    for (const name of companions) {
      const vectors = beside[name] ?? {};
      if (Object.keys(vectors).length > 0) metadata[keyOf(name)] = await blobs.put(encodeVectors(vectors));
    }
    const hash = await blobs.put(encodeSafetensors(manifest, parameters, metadata));
    remember({ hash, parameters, metadata });
    return { orgId, runId, version, hash, parentHash, round };
  };

  return {
    layout: crypto.sha256(canonicalBytes(manifest as unknown as Json)).toHex(),
    parameters: async (hash) => (await load(hash)).parameters,
    async state({ hash, parentHash }) {
      const parent = parentHash === null ? null : (await load(parentHash)).parameters;
      const model = (await load(hash)).parameters;
      const hashes = await companionHashes(hash);
      const [optimizer, control] = await Promise.all(companions.map((name) => vectorsAt(hashes[name])));
      return { model, parent, optimizer: optimizer!, control: control! };
    },
    companionHashes,
    async forgetCompanions(hash, newer) {
      const kept = new Set(Object.values(await companionHashes(newer)));
      for (const old of Object.values(await companionHashes(hash))) if (!kept.has(old)) await blobs.remove(old);
      metadataByHash.delete(hash);
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

function keyOf(name: Companion): string {
  return `qflare.${name}`;
}
