import type { GraphRuntime, GraphTensor } from '../../ports/graph-runtime.ts';
import { product } from '../learning/graph/matrix-ops.ts';
import { toOnnx } from '../learning/graph/onnx.ts';
import { input, type Value } from '../learning/graph/value.ts';
import type { Compute } from '../../ports/compute.ts';
import type { Arena } from './arena.ts';
import { createArena } from './arena.ts';
import { createChunkRunner } from './chunk-runner.ts';
import { broken, type ChunkResult, type ChunkTask, gramSize } from './chunk-task.ts';
import { Lane } from './lane.ts';
import { createChunkedCompute } from './wasm.ts';

/** Rows from which on the runtime's product is faster than the SIMD kernel: with fewer the pass waits for memory. */
const rowsMin = 64;

/** Columns that are packed for one call, and the floats from one packed row to the next. */
const width = 8192;
const pitch = width + 16;

type Band = { readonly start: number; readonly count: number };

/** Packed rows in the kernels' memory, and the product of all their pairs. */
type Product = {
  readonly address: number;
  readonly packed: Float32Array;
  run(): Promise<void>;
  addTo(sums: Float64Array, unscale: Float64Array): void;
};

/**
 * The SIMD kernels on this thread, with the Gram pass of 64 rows or more by a matrix product of the runtime.
 *
 * Promises: distances within 1e-6 of exact ones, also where rows differ by 0.2 % of their norm.
 * Differs:  from the SIMD kernels by float32 rounding, and between kinds of processors.
 */
export function createGraphCompute(runtime: GraphRuntime): Compute {
  const arena = createArena();
  const runner = createChunkRunner(arena.memory);
  const gram = createGraphGram(arena, runtime);
  return createChunkedCompute(arena, {
    name: `wasm and ${runtime.name}`,
    lanes: 1,
    run: (_lane, task) => (task.work.kind === 'gram' && task.addresses.length >= rowsMin ? gram(task) : runner(task)),
  });
}

/**
 * The Gram pass with a matrix product of the runtime: tiles are centred and packed by the SIMD kernels as for the built-in
 * product, multiplied in float32, and their products added up in float64.
 *
 * Formula: the rows of a tile are cut into bands; P_a P_bᵀ for bands b ≤ a: what is above the diagonal is not computed.
 */
function createGraphGram(arena: Arena, runtime: GraphRuntime): (task: ChunkTask) => Promise<ChunkResult> {
  const lane = new Lane(arena.memory);
  const products = new Map<number, Promise<Product>>();
  return async ({ addresses, count, scratch }) => {
    const n = addresses.length;
    const m = gramSize(n);
    lane.reset(scratch);
    const table = lane.takeWords(n);
    table.view.set(addresses);
    const unscale = lane.takeDoubles(m);
    unscale.view.fill(1);
    const order = lane.takeWords(2 * n).address;
    const members = lane.takeWords(16).address;
    const made = products.get(m) ?? createProduct(arena, m, runtime);
    products.set(m, made);
    const { address, packed, run, addTo } = await made;
    const sums = new Float64Array(m * m);
    for (let start = 0; start < count; start += width) {
      const columns = Math.min(width, count - start);
      const bad = lane.kernels.survey(members, unscale.address, order, table.address, n, start * 4, columns);
      if (bad > 0) return broken;
      if (columns < width) packed.fill(0);
      lane.kernels.pack(address, pitch * 4, members, unscale.address, table.address, n, start * 4, columns);
      await run();
      addTo(sums, unscale.view);
    }
    return { isBroken: false, sums };
  };
}

async function createProduct(arena: Arena, m: number, runtime: GraphRuntime): Promise<Product> {
  const address = arena.take(m * pitch * 4);
  const packed = arena.floats(address, m * pitch).fill(0);
  const bands = bandsOf(m);
  const values = bands.map(({ count }) => input([count, pitch]));
  const outputs: Record<string, Value> = {};
  const results: Record<string, GraphTensor> = {};
  const parts: { readonly a: Band; readonly b: Band; readonly data: Float32Array }[] = [];
  for (const [i, a] of bands.entries()) {
    for (const [j, b] of bands.slice(0, i + 1).entries()) {
      const data = new Float32Array(a.count * b.count);
      outputs[`${i}.${j}`] = product(values[i]!, values[j]!, { transposeB: true });
      results[`${i}.${j}`] = { data, shape: [a.count, b.count] };
      parts.push({ a, b, data });
    }
  }
  const named = <T>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map((each, i) => [`p${i}`, each]));
  const session = await runtime.load(toOnnx({ inputs: named(values), outputs }));
  const feeds = bands.map(({ start, count }) => ({
    data: packed.subarray(start * pitch, (start + count) * pitch),
    shape: [count, pitch],
  }));
  return {
    address,
    packed,
    run: session.bind(named(feeds), results),
    addTo(sums, unscale) {
      for (const { a, b, data } of parts) addPart(sums, unscale, m, a.start, b.start, a.count, b.count, data);
    },
  };
}

function addPart(
  sums: Float64Array,
  unscale: Float64Array,
  m: number,
  rowStart: number,
  columnStart: number,
  rows: number,
  columns: number,
  data: Float32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const u = unscale[rowStart + i]!;
    const at = (rowStart + i) * m + columnStart;
    for (let j = 0; j < columns; j++) sums[at + j]! += data[i * columns + j]! * u * unscale[columnStart + j]!;
  }
}

/** Bands of 32 rows, or of more where that would be many; the last takes what is left over. */
function bandsOf(m: number): Band[] {
  const size = 32 * Math.ceil(m / 256);
  const count = Math.max(1, Math.round(m / size));
  return Array.from({ length: count }, (_, i) => ({
    start: i * size,
    count: i + 1 < count ? size : m - i * size,
  }));
}
