import { isOutputBroken, isSafe, sumInDouble } from './chunk-sums.ts';
import { type ChunkResult, type ChunkTask, distanceTile, type Work } from './chunk-task.ts';
import type { Lane } from './lane.ts';

/** Sums: ‖s_i x_i − v‖² [n] for v = Σ w_i x_i, tile by tile: the rows are still near when they are compared with their sum. */
export function distancesOf(
  lane: Lane,
  { addresses, count }: ChunkTask,
  table: number,
  { out, weights, scales }: Work<'distances'>,
): ChunkResult {
  const n = addresses.length;
  const [weightsAt, scalesAt] = [lane.take(4 * n), lane.take(4 * n)];
  lane.floats(weightsAt, n).set(weights);
  lane.floats(scalesAt, n).set(scales);
  const sums = lane.takeDoubles(n);
  const tile = distanceTile(n);
  for (let start = 0; start < count; start += tile) {
    const width = Math.min(tile, count - start);
    const v = out + start * 4;
    lane.kernels.combine(v, table, weightsAt, n, start * 4, width);
    lane.kernels.distances(sums.address, v, scalesAt, table, n, start * 4, width);
  }
  // A sum that overflowed, and rows with squares outside of float32, are taken again in float64.
  const isBroken = isOutputBroken(lane, out, count);
  const v = isBroken ? sumInDouble(lane, addresses, count, weights) : lane.floats(out, count);
  for (let i = 0; i < n; i++) {
    if (isSafe(sums.view[i]!) && !isBroken) continue;
    const row = lane.floats(addresses[i]!, count);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += (scales[i]! * row[k]! - v[k]!) ** 2;
    sums.view[i] = sum;
  }
  return { isBroken: !sums.view.every(Number.isFinite), sums: Float64Array.from(sums.view) };
}
