import type { Row, SpooledRow, Vector } from '../../ports/compute.ts';

/** True when a row is held in memory. */
export function isHeld(row: Row): row is Vector {
  return row instanceof Float32Array || row instanceof Float64Array;
}

/** True when a vector of a caller is one that is read range by range. */
export function isSpooled(vector: ArrayLike<number> | SpooledRow): vector is SpooledRow {
  return 'read' in vector;
}

/** True when the rows are computed in float64. */
export function isDouble(rows: readonly Row[]): boolean {
  return rows[0] instanceof Float64Array;
}

/** Fills `target` with row[start … start + target.length) as float64. */
async function readDouble(row: Row, start: number, target: Float64Array): Promise<void> {
  if (isHeld(row)) {
    for (let k = 0; k < target.length; k++) target[k] = row[start + k]!;
    return;
  }
  const single = new Float32Array(target.length);
  await row.read(start, single);
  target.set(single);
}

/** Walks the columns in blocks: all rows × `width` columns, as float64 views that are reused from block to block. */
export async function eachTile(
  rows: readonly Row[],
  width: number,
  visit: (tile: readonly Float64Array[], start: number) => void,
): Promise<void> {
  const d = rows[0]?.length ?? 0;
  const buffers = rows.map(() => new Float64Array(width));
  for (let start = 0; start < d; start += width) {
    const length = Math.min(width, d - start);
    const tile = buffers.map((buffer) => buffer.subarray(0, length));
    for (const [i, row] of rows.entries()) await readDouble(row, start, tile[i]!);
    visit(tile, start);
  }
}

/**
 * Indices of the rows that hold a NaN, an infinity, or (from float64 input) values whose squares leave float64: no
 * norm or distance can be computed with those.
 */
export async function findNonFinite(rows: readonly Row[]): Promise<number[]> {
  const norms2 = new Float64Array(rows.length);
  await eachTile(rows, 4096, (tile) => {
    for (const [i, values] of tile.entries()) for (const value of values) norms2[i]! += value * value;
  });
  return Array.from(norms2, (_, i) => i).filter((i) => !(norms2[i]! < 1e300));
}
