import { initialParameters } from '../core/learning/model-spec.ts';
import type { Rows, Tiles } from '../core/learning/server/next-model.ts';
import { decodeVectors, encodeTiles, encodeVectors, type Vectors } from '../core/learning/vectors.ts';
import { elementCount, parameterCount } from '../core/model/manifest.ts';
import {
  assertManifest,
  encodeSafetensorsHead,
  safetensorsHeadBytes,
  safetensorsLayout,
} from '../core/model/safetensors.ts';
import { planManifest } from '../core/plan/learning.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import { createRng } from '../core/random/rng.ts';
import type { GlobalState } from '../core/round/global-step.ts';
import type { SpooledRow } from '../ports/compute.ts';
import type { ModelRow } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';

/** What is stored beside a model, each in a file of its own: the model's file names its hash. */
const companions = ['optimizer', 'control', 'memory'] as const;

type Companion = (typeof companions)[number];

/** A stored file that is read part by part, in an array that is used again. */
export type ModelFile = { readonly size: number; read(start: number): AsyncIterable<Uint8Array> };

/**
 * The run's models: content-addressed safetensors files, each with its version and its parent's hash. A model's file
 * also names the hashes of its companions, so that its own hash stands for everything the next round starts from.
 */
export type Models = {
  /** The hash of the manifest: the layout of every vector in the run. */
  readonly layout: string;
  /** Parameters by the hash of their file. */
  parameters(hash: string): Promise<Float32Array>;
  /** The same as a row that stays in its file; the file is checked once. */
  row(hash: string): Promise<SpooledRow>;
  /** A file as it is, for sites that ask for it by its hash: a model of the run, or the control beside one that is worked on. */
  published(hash: string, run: readonly Pick<ModelRow, 'hash'>[]): Promise<ModelFile | undefined>;
  /** One vector that is used again for every aggregate and every evaluation, so that a round takes no new memory. */
  workspace(): Float32Array;
  /** A model with all that the next round starts from, as whole vectors. */
  state(model: Pick<ModelRow, 'hash' | 'parentHash'>): Promise<GlobalState>;
  /** What the server's optimiser remembered when it made a model, as rows that stay in their file. */
  optimizer(hash: string): Promise<Rows>;
  /** What the rule remembered when it made a model. */
  memory(hash: string): Promise<Vectors>;
  /** Writes a model's file and gives its row; the row becomes part of the run when it is committed. */
  write(
    parameters: Float32Array | Tiles,
    place: { version: number; parentHash: string | null; round: number },
    beside?: Readonly<Partial<Record<Companion, Beside>>>,
  ): Promise<ModelRow>;
  /** The model that every run of this plan starts from. */
  writeInitial(): Promise<ModelRow>;
  /** The hashes of a model's companions. */
  companionHashes(hash: string): Promise<Readonly<Partial<Record<Companion, string>>>>;
  /** Removes companions of a model that no round starts from any more, unless `newer` has the same ones. */
  forgetCompanions(hash: string, newer: string): Promise<void>;
};

/** Vectors beside a model: whole, or made tile by tile. */
export type Beside = Vectors | Readonly<Record<string, Tiles>>;

const partBytes = 1 << 18;
const layoutsMax = 8;

/** Where a model's values lie in its file, and what the file says beside them. */
type Layout = { readonly dataStart: number; readonly metadata: Readonly<Record<string, string>> };

export function createModels({
  plan,
  orgId,
  runId,
  blobs,
  crypto,
}: Pick<CoordinatorParts, 'plan' | 'orgId' | 'runId' | 'blobs' | 'crypto'>): Models {
  const manifest = planManifest(plan);
  const d = parameterCount(manifest);
  let shared: Float32Array | undefined;
  /** Of the newest models. */
  const layouts = new Map<string, Promise<Layout>>();

  function layoutOf(hash: string): Promise<Layout> {
    const known = layouts.get(hash) ?? readLayout(hash);
    layouts.set(hash, known);
    if (layouts.size > layoutsMax) layouts.delete(layouts.keys().next().value!);
    return known;
  }

  /** Checks a file that an earlier process wrote, and reads its header. */
  async function checkedLayout(hash: string): Promise<ReturnType<typeof safetensorsLayout>> {
    const size = await blobs.size(hash);
    if (size === undefined) throw new Error(`Cannot read model ${hash} as its file must exist: there is none`);
    await blobs.check(hash);
    const start = new Uint8Array(Math.min(8, size));
    await blobs.read(hash, 0, start);
    const head = new Uint8Array(Math.min(size, safetensorsHeadBytes(start)));
    await blobs.read(hash, 0, head);
    return safetensorsLayout(head, size);
  }

  async function readLayout(hash: string): Promise<Layout> {
    const layout = await checkedLayout(hash);
    assertManifest(manifest, layout.tensors);
    return layout;
  }

  function rowAt(hash: string, dataStart: number, length: number): SpooledRow {
    return {
      length,
      read: (start, target) =>
        blobs.read(hash, dataStart + 4 * start, new Uint8Array(target.buffer, target.byteOffset, target.byteLength)),
    };
  }

  async function row(hash: string): Promise<SpooledRow> {
    const { dataStart } = await layoutOf(hash);
    return rowAt(hash, dataStart, d);
  }

  async function parametersOf(hash: string): Promise<Float32Array> {
    const values = new Float32Array(d);
    await (await row(hash)).read(0, values);
    return values;
  }

  async function vectorsAt(hash: string | undefined): Promise<Vectors> {
    if (hash === undefined) return {};
    const bytes = await blobs.get(hash);
    if (bytes === undefined)
      throw new Error(`Cannot go on as the file ${hash} beside a model must exist: there is none`);
    return decodeVectors(bytes).vectors;
  }

  /** The file is checked, and stays where it is. */
  async function rowsAt(hash: string): Promise<Rows> {
    const { dataStart, tensors } = await checkedLayout(hash);
    let offset = dataStart;
    const rows = tensors.map((found) => {
      const start = offset;
      offset += 4 * elementCount(found);
      return [found.name, rowAt(hash, start, elementCount(found))] as const;
    });
    return Object.fromEntries(rows);
  }

  async function companionHashes(hash: string): Promise<Partial<Record<Companion, string>>> {
    const { metadata } = await layoutOf(hash);
    const named = companions.map((name) => [name, metadata[keyOf(name)]] as const);
    return Object.fromEntries(named.filter(([, value]) => value !== undefined));
  }

  async function isControl(hash: string, newest: readonly Pick<ModelRow, 'hash'>[]): Promise<boolean> {
    for (const model of newest) if ((await companionHashes(model.hash)).control === hash) return true;
    return false;
  }

  const write: Models['write'] = async (parameters, { version, parentHash, round }, beside = {}) => {
    const metadata: Record<string, string> = {
      format: 'pt',
      'qflare.version': String(version),
      'qflare.parent': parentHash ?? '',
    };
    for (const name of companions) {
      const vectors = beside[name] ?? {};
      if (Object.keys(vectors).length === 0) continue;
      metadata[keyOf(name)] = await blobs.put(isTiled(vectors) ? encodeTiles(vectors) : encodeVectors(vectors));
    }
    const head = encodeSafetensorsHead(manifest, metadata);
    const hash = await blobs.put(fileOf(head, parameters instanceof Float32Array ? [parameters] : parameters.tiles()));
    layouts.set(hash, Promise.resolve({ dataStart: head.length, metadata }));
    return { orgId, runId, version, hash, parentHash, round };
  };

  async function* partsOf(hash: string, from: number, size: number): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(partBytes, size));
    for (let at = from; at < size; at += buffer.length) {
      const part = buffer.subarray(0, Math.min(buffer.length, size - at));
      await blobs.read(hash, at, part);
      yield part;
    }
  }

  return {
    layout: crypto.sha256(canonicalBytes(manifest as unknown as Json)).toHex(),
    row,
    workspace: () => (shared ??= new Float32Array(d)),
    parameters: parametersOf,
    async published(hash, run) {
      // Envelopes, cards and the server's own state lie in the same store: knowing their hash gives nobody their bytes.
      const isModel = run.some((model) => model.hash === hash);
      if (!isModel && !(await isControl(hash, run.slice(-2)))) return undefined;
      const size = await blobs.size(hash);
      return size === undefined ? undefined : { size, read: (start) => partsOf(hash, start, size) };
    },
    async state({ hash, parentHash }) {
      const parent = parentHash === null ? null : await parametersOf(parentHash);
      const model = await parametersOf(hash);
      const hashes = await companionHashes(hash);
      const [optimizer, control, memory] = await Promise.all(companions.map((name) => vectorsAt(hashes[name])));
      return { model, parent, optimizer: optimizer!, control: control!, memory: memory! };
    },
    async optimizer(hash) {
      const { optimizer } = await companionHashes(hash);
      return optimizer === undefined ? {} : rowsAt(optimizer);
    },
    memory: async (hash) => vectorsAt((await companionHashes(hash)).memory),
    companionHashes,
    async forgetCompanions(hash, newer) {
      const kept = new Set(Object.values(await companionHashes(newer)));
      for (const old of Object.values(await companionHashes(hash))) if (!kept.has(old)) await blobs.remove(old);
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

async function* fileOf(
  head: Uint8Array,
  parts: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  for await (const part of parts) yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

function isTiled(vectors: Beside): vectors is Readonly<Record<string, Tiles>> {
  return Object.values(vectors).every((vector) => 'tiles' in vector);
}

function keyOf(name: Companion): string {
  return `qflare.${name}`;
}
