import type {
  Combined,
  Compute,
  DistancePass,
  GramPass,
  Mixing,
  OutputOptions,
  Row,
  RowBlock,
  SignPass,
  StarPass,
} from '../../ports/compute.ts';
import type { Arena } from './arena.ts';
import { createArena } from './arena.ts';
import type { ChunkResult, ChunkTask } from './chunk-task.ts';
import { createChunkRunner } from './chunk-runner.ts';
import { chunkWidth, gramSize, scratchBytes } from './chunk-task.ts';
import { createReferenceCompute } from './reference.ts';
import { findNonFinite, isDouble, isHeld } from './tiles.ts';

/** Who runs chunk tasks: this thread, or several. Lanes work at the same time, each with memory of its own. */
export type Executor = {
  readonly name: string;
  readonly lanes: number;
  run(lane: number, task: ChunkTask): ChunkResult | Promise<ChunkResult>;
};

/** The SIMD kernels on this thread. Float64 rows are computed by the plain reference. */
export function createWasmCompute(): Compute {
  const arena = createArena();
  const runner = createChunkRunner(arena.memory);
  return createChunkedCompute(arena, { name: 'wasm', lanes: 1, run: (_lane, task) => runner(task) });
}

/** The SIMD kernels over an executor: cohorts are cut into chunks of columns, whose sums are added in order. */
export function createChunkedCompute(arena: Arena, executor: Executor): Compute {
  const engine = new Engine(arena, executor);
  const plain = createReferenceCompute();
  const pick = (rows: readonly Row[]): Compute => (isDouble(rows) ? plain : engine);
  return {
    name: executor.name,
    allocate: (count, length) => engine.allocate(count, length),
    gram: (rows) => pick(rows).gram(rows),
    star: (rows, reference) => pick(rows).star(rows, reference),
    distances: (rows, weights, scales) => pick(rows).distances(rows, weights, scales),
    combine: (rows, weights, options) => pick(rows).combine(rows, weights, options),
    columns: (rows, mixing, rule, options) => pick(rows).columns(rows, mixing, rule, options),
    signs: (rows) => pick(rows).signs(rows),
  };
}

const starWork = { kind: 'star', reference: null } as const;

class Engine implements Compute {
  readonly name: string;
  private readonly arena: Arena;
  private readonly executor: Executor;
  /** Addresses of the rows that live in the kernels' memory. */
  private readonly resident = new WeakMap<object, number>();

  constructor(arena: Arena, executor: Executor) {
    this.arena = arena;
    this.executor = executor;
    this.name = executor.name;
  }

  allocate(count: number, length: number): RowBlock {
    const pitch = paddedBytes(length);
    const address = this.arena.take(count * pitch);
    const rows = Array.from({ length: count }, (_, i) => {
      this.arena.floats(address + i * pitch, pitch / 4).fill(0);
      const row = this.arena.floats(address + i * pitch, length);
      this.resident.set(row, address + i * pitch);
      return row;
    });
    const release = (): void => {
      for (const row of rows) this.resident.delete(row);
      this.arena.give(address);
    };
    return { rows, release };
  }

  async gram(rows: readonly Row[]): Promise<GramPass> {
    const n = rows.length;
    const m = gramSize(n);
    const sums = await this.eachChunk(rows, [], 0, m * m, () => ({ kind: 'gram' }));
    if (sums === null) return { ...emptyGram(n), nonFinite: await findNonFinite(rows) };
    const at = (i: number, j: number): number => (i < j ? sums[j * m + i]! : sums[i * m + j]!);
    return {
      centred: Float64Array.from({ length: n * n }, (_, index) => at(Math.floor(index / n), index % n)),
      centreDots: Float64Array.from({ length: n }, (_, i) => at(n, i)),
      centreNorm2: at(n, n),
      nonFinite: [],
    };
  }

  async star(rows: readonly Row[], reference: Row | null): Promise<StarPass> {
    const n = rows.length;
    const others = reference === null ? [] : [reference];
    const sums = await this.eachChunk(rows, others, 0, (others.length * 2 + 1) * n, ([r]) => ({
      kind: 'star',
      reference: r ?? null,
    }));
    const self = reference === null ? null : await this.eachChunk([reference], [], 0, 1, () => starWork);
    return {
      norms2: sums?.slice(0, n) ?? new Float64Array(n),
      referenceDots: reference === null ? null : (sums?.slice(n, 2 * n) ?? new Float64Array(n)),
      referenceDistances2: reference === null ? null : (sums?.slice(2 * n) ?? new Float64Array(n)),
      referenceNorm2: self?.[0] ?? 0,
      nonFinite: sums === null ? await findNonFinite(rows) : [],
    };
  }

  async signs(rows: readonly Row[]): Promise<SignPass> {
    const n = rows.length;
    const counts = (await this.eachChunk(rows, [], 0, 2 * n, () => ({ kind: 'signs' })))!;
    return { positives: counts.slice(0, n), negatives: counts.slice(n) };
  }

  async distances(rows: readonly Row[], weights: Float64Array, scales: Float64Array): Promise<DistancePass> {
    const n = rows.length;
    const lists = { weights: Array.from(weights), scales: Array.from(scales) };
    const sums = await this.eachChunk(rows, [], 0, n, (_others, out) => ({ kind: 'distances', out, ...lists }));
    return { distances2: sums ?? new Float64Array(n), nonFinite: sums === null ? await findNonFinite(rows) : [] };
  }

  async combine(rows: readonly Row[], weights: Float64Array, options: OutputOptions): Promise<Combined> {
    const list = Array.from(weights);
    return this.toVector(rows, options, 0, (out) => ({ kind: 'combine', out, weights: list, dots: options.dots }));
  }

  async columns(
    rows: readonly Row[],
    mixing: Mixing | null,
    rule: Parameters<Compute['columns']>[2],
    options: OutputOptions,
  ): Promise<Combined> {
    const { dots } = options;
    return this.toVector(rows, options, mixing?.count ?? 0, (out) => ({ kind: 'columns', out, rule, mixing, dots }));
  }

  /** Work with an output vector: it is written chunk by chunk, in place when the caller's vector lives in this memory. */
  private async toVector(
    rows: readonly Row[],
    { dots, into }: OutputOptions,
    mixed: number,
    workOf: (out: number) => ChunkTask['work'],
  ): Promise<Combined> {
    const n = rows.length;
    const vector = into ?? new Float32Array(rows[0]!.length);
    const place = this.resident.get(vector);
    const outAt = (start: number, scratch: number): number => (place === undefined ? scratch : place + start * 4);
    const copyOut = (start: number, count: number, out: number): void => {
      if (place === undefined) vector.set(this.arena.floats(out, count), start);
    };
    const size = dots ? 2 * n : 0;
    const work = (_others: readonly number[], out: number, start: number): ChunkTask['work'] =>
      workOf(outAt(start, out));
    const sums = await this.eachChunk(rows, [], mixed, size, work, copyOut);
    if (sums === null) return { vector, norms2: null, dots: null, nonFinite: await findNonFinite(rows) };
    return {
      vector,
      norms2: dots ? sums.slice(0, n) : null,
      dots: dots ? sums.slice(n, 2 * n) : null,
      nonFinite: [],
    };
  }

  /**
   * Runs work over all chunks and adds up their sums in the order of the chunks; null when a value is not finite. `others`
   * are vectors that the work reads beside the rows.
   */
  private async eachChunk(
    rows: readonly Row[],
    others: readonly Row[],
    mixed: number,
    size: number,
    workOf: (others: readonly number[], out: number, start: number) => ChunkTask['work'],
    copyOut?: (start: number, count: number, out: number) => void,
  ): Promise<Float64Array | null> {
    const d = rows[0]!.length;
    const width = chunkWidth(rows.length);
    const chunks = Math.ceil(d / width);
    const total = new Float64Array(size);
    const waiting = new Map<number, Float64Array>();
    let nextChunk = 0;
    let added = 0;
    let isBroken = false;
    const runLane = async (lane: number): Promise<void> => {
      const place = this.takeLane([...rows, ...others], rows.length, mixed, workOf([0], 0, 0).kind);
      try {
        while (nextChunk < chunks && !isBroken) {
          const chunk = nextChunk++;
          const start = chunk * width;
          const length = Math.min(width, d - start);
          const addresses = await this.stage([...rows, ...others], start, length, place.slots);
          const task: ChunkTask = {
            addresses: addresses.slice(0, rows.length),
            count: Math.ceil(length / 8) * 8,
            scratch: place.scratch,
            work: workOf(addresses.slice(rows.length), place.out, start),
          };
          const result = await this.executor.run(lane, task);
          isBroken ||= result.isBroken;
          if (isBroken) break;
          copyOut?.(start, length, place.out);
          waiting.set(chunk, result.sums);
          for (let sums = waiting.get(added); sums !== undefined; sums = waiting.get(++added)) {
            waiting.delete(added);
            for (let k = 0; k < size; k++) total[k]! += sums[k]!;
          }
        }
      } finally {
        for (const address of place.taken) this.arena.give(address);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.executor.lanes, chunks) }, (_, lane) => runLane(lane)));
    return isBroken ? null : total;
  }

  /** Memory of a lane: scratch, one chunk of output, and a slot for each row that does not live here. */
  private takeLane(
    rows: readonly Row[],
    n: number,
    mixed: number,
    kind: ChunkTask['work']['kind'],
  ): { scratch: number; out: number; slots: readonly (number | null)[]; taken: readonly number[] } {
    const d = rows[0]!.length;
    const width = Math.min(chunkWidth(n), Math.ceil(d / 8) * 8);
    const scratch = this.arena.take(scratchBytes(n, mixed, kind));
    const out = this.arena.take(width * 4);
    const foreign = rows.filter((row) => !this.resident.has(row)).length;
    const pitch = paddedBytes(width);
    const staged = foreign === 0 ? null : this.arena.take(foreign * pitch);
    let index = 0;
    const slots = rows.map((row) => (this.resident.has(row) ? null : staged! + index++ * pitch));
    return { scratch, out, slots, taken: staged === null ? [scratch, out] : [scratch, out, staged] };
  }

  /** The addresses of the rows' chunk: where they live, or in a slot after a copy. */
  private async stage(
    rows: readonly Row[],
    start: number,
    length: number,
    slots: readonly (number | null)[],
  ): Promise<number[]> {
    const reads: Promise<void>[] = [];
    const addresses = rows.map((row, i) => {
      const slot = slots[i]!;
      if (slot === null) return this.resident.get(row)! + start * 4;
      const target = this.arena.floats(slot, length);
      if (isHeld(row)) target.set(row.subarray(start, start + length));
      else reads.push(row.read(start, target));
      this.arena.floats(slot + length * 4, Math.ceil(length / 8) * 8 - length).fill(0);
      return slot;
    });
    if (reads.length > 0) await Promise.all(reads);
    return addresses;
  }
}

function emptyGram(n: number): Omit<GramPass, 'nonFinite'> {
  return { centred: new Float64Array(n * n), centreDots: new Float64Array(n), centreNorm2: 0 };
}

/** The bytes of a row: whole blocks of 64, and off multiples of 4096, where rows would fight for the same cache sets. */
function paddedBytes(length: number): number {
  const bytes = Math.ceil((length * 4) / 64) * 64 || 64;
  return bytes % 4096 < 256 ? bytes + 256 + 64 : bytes;
}
