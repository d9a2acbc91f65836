import type { Row } from '../../../ports/compute.ts';
import { type Four, planSketch, sketchInto, sketchSize, type SketchPlan } from './sketch.ts';

export const tileWidth = 2048;
const atOnce = 4;
const spare = new Float32Array(sketchSize);

/**
 * Sketches of rows, from one reading of the data.
 *
 * Shapes:  n rows of d → n sketches. Values count as float32, as updates travel.
 * Cost:    a few operations a value; nothing is copied of rows that are held as float32.
 */
export async function sketchesOf(
  rows: readonly Row[],
  seed: number,
  visit: (i: number, values: Float32Array, start: number) => void = () => {},
): Promise<Float32Array[]> {
  const d = rows[0]?.length ?? 0;
  const sketches = rows.map(() => new Float32Array(sketchSize));
  const buffers = Array.from({ length: atOnce }, () => new Float32Array(tileWidth));
  for (let start = 0; start < d; start += tileWidth) {
    const length = Math.min(tileWidth, d - start);
    const plan = planSketch(start, length, seed);
    for (let first = 0; first < rows.length; first += atOnce) {
      const tile: Float32Array[] = buffers.map((buffer) => buffer.subarray(0, length));
      for (const [k, row] of rows.slice(first, first + atOnce).entries()) {
        const isThere = row instanceof Float32Array;
        const values = isThere ? row.subarray(start, start + length) : await readInto(tile[k]!, row, start);
        tile[k] = values;
        visit(first + k, values, start);
      }
      addAll(sketches.slice(first, first + atOnce), tile, plan);
    }
  }
  return sketches;
}

/** Fewer than four are filled up with what nobody reads. */
function addAll(sketches: readonly Float32Array[], tile: readonly Float32Array[], plan: SketchPlan): void {
  const targets = tile.map((_, k) => sketches[k] ?? spare);
  sketchInto(targets as unknown as Four<Float32Array>, tile as unknown as Four<Float32Array>, plan);
}

async function readInto(buffer: Float32Array, row: Row, start: number): Promise<Float32Array> {
  if ('read' in row) await row.read(start, buffer);
  else buffer.set(row.subarray(start, start + buffer.length));
  return buffer;
}
