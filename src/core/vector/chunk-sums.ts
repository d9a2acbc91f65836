import {
  broken,
  type ChunkResult,
  type ChunkTask,
  columnTile,
  gramBlock,
  gramPitch,
  gramSize,
  gramTile,
  streamWidth,
  type Work,
} from './chunk-task.ts';
import type { Lane } from './lane.ts';

export function gramOf(lane: Lane, { addresses, count }: ChunkTask, table: number): ChunkResult {
  const n = addresses.length;
  const m = gramSize(n);
  const sums = lane.takeDoubles(m * m);
  const unscale = lane.takeDoubles(m);
  unscale.view.fill(1);
  const scratch = lane.takeWords(2 * n).address;
  const members = lane.takeWords(16).address;
  const packed = lane.take((m / 3) * gramPitch);
  const centre = lane.take(gramTile * 4);
  for (let block = 0; block < count; block += gramBlock) {
    const end = Math.min(block + gramBlock, count);
    const bad = lane.kernels.survey(members, unscale.address, scratch, table, n, block * 4, end - block);
    if (bad > 0) return broken;
    for (let start = block; start < end; start += gramTile) {
      const width = Math.min(gramTile, end - start);
      lane.kernels.packThrees(packed, gramPitch, centre, members, unscale.address, table, n, start * 4, width);
      lane.kernels.gram(sums.address, packed, gramPitch, unscale.address, m / 3, width);
    }
  }
  return { isBroken: false, sums: Float64Array.from(sums.view) };
}

/** Sums: ‖x_i‖² [n], then with a reference ⟨x_i, r⟩ [n] and ‖x_i − r‖² [n]. */
export function starOf(
  lane: Lane,
  { addresses, count }: ChunkTask,
  table: number,
  reference: number | null,
): ChunkResult {
  const n = addresses.length;
  const sums = lane.takeDoubles(3 * n);
  if (reference === null) lane.kernels.norms(sums.address, table, n, 0, count);
  else lane.kernels.products(sums.address, reference, table, n, 0, count);
  return checked(lane, sums.view.slice(0, reference === null ? n : 3 * n), addresses, count, reference);
}

/** No square that counts in this sum has left float32, above or below. */
export function isSafe(sum: number): boolean {
  return sum > 1e-24 && sum < Number.POSITIVE_INFINITY;
}

/** Rows with squares outside of float32 are summed again in float64; a sum that still is no number is broken. */
export function checked(
  lane: Lane,
  sums: Float64Array,
  addresses: readonly number[],
  count: number,
  v: number | null,
): ChunkResult {
  const n = addresses.length;
  for (let i = 0; i < n; i++) {
    const apart = sums[2 * n + i];
    const isFine = apart === undefined || apart === 0 || isSafe(apart);
    if (isSafe(sums[i]!) && isFine && Number.isFinite(sums[n + i] ?? 0)) continue;
    const row = lane.floats(addresses[i]!, count);
    const other = v === null ? null : lane.floats(v, count);
    let [own, across, distance] = [0, 0, 0];
    for (let k = 0; k < count; k++) {
      const [x, y] = [row[k]!, other?.[k] ?? 0];
      own += x * x;
      across += x * y;
      distance += (x - y) ** 2;
    }
    sums[i] = own;
    if (v !== null) [sums[n + i], sums[2 * n + i]] = [across, distance];
  }
  return { isBroken: !sums.every(Number.isFinite), sums };
}

export function signsOf(lane: Lane, { addresses, count }: ChunkTask, table: number): ChunkResult {
  const counts = lane.takeWords(2 * addresses.length);
  counts.view.fill(0);
  lane.kernels.signs(counts.address, table, addresses.length, 0, count);
  return { isBroken: false, sums: Float64Array.from(counts.view) };
}

export function combineOf(lane: Lane, task: ChunkTask, table: number, work: Work<'combine'>): ChunkResult {
  const { addresses, count } = task;
  const n = addresses.length;
  const weights = lane.take(4 * n);
  lane.floats(weights, n).set(work.weights);
  // Without products a whole chunk streams at the speed of memory; with them the tile must still be in the cache.
  const tile = work.dots ? columnTile(n) : streamWidth;
  const sums = lane.takeDoubles(3 * n);
  for (let start = 0; start < count; start += tile) {
    const width = Math.min(tile, count - start);
    lane.kernels.combine(work.out + start * 4, table, weights, n, start * 4, width);
    if (work.dots) lane.kernels.products(sums.address, work.out + start * 4, table, n, start * 4, width);
  }
  if (isOutputBroken(lane, work.out, count)) return combineAgain(lane, task, work);
  if (!work.dots) return { isBroken: false, sums: new Float64Array() };
  return checked(lane, sums.view.slice(0, 2 * n), addresses, count, work.out);
}

/** Whether an output overflowed or holds a value that is not finite. */
export function isOutputBroken(lane: Lane, out: number, count: number): boolean {
  const table = lane.takeWords(1);
  table.view[0] = out;
  return lane.kernels.isSuspect(table.address, 1, 0, count) === 1;
}

/** Σ w_i x_i in float64. */
export function sumInDouble(
  lane: Lane,
  addresses: readonly number[],
  count: number,
  weights: readonly number[],
): Float64Array {
  const output = new Float64Array(count);
  for (const [i, address] of addresses.entries()) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    for (const [k, value] of lane.floats(address, count).entries()) output[k]! += weight * value;
  }
  return output;
}

/** The output overflowed or a row is not finite: in float64, where finite rows give a finite vector. */
function combineAgain(lane: Lane, task: ChunkTask, work: Work<'combine'>): ChunkResult {
  const { addresses, count } = task;
  const output = sumInDouble(lane, addresses, count, work.weights);
  if (!output.every((value) => Number.isFinite(Math.fround(value)))) {
    return broken;
  }
  lane.floats(work.out, count).set(output);
  const empty = new Float64Array(2 * addresses.length).fill(Number.NaN);
  return work.dots ? checked(lane, empty, addresses, count, work.out) : { isBroken: false, sums: new Float64Array() };
}
