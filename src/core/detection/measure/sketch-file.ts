import { sketchSize } from './sketch.ts';
import type { RoundSketch } from './update-features.ts';

/** The sketches of a round as bytes: of the model, of the aggregate, and one for each client, float32 little-endian. */
export function writeSketches(round: RoundSketch, updates: readonly Float32Array[]): Uint8Array {
  const all = [round.model, round.aggregate, ...updates];
  const values = new Float32Array(sketchSize * all.length);
  for (const [i, sketch] of all.entries()) values.set(sketch, i * sketchSize);
  return new Uint8Array(values.buffer);
}

/** The sketches of a round from its bytes. */
export function readSketches(bytes: Uint8Array): {
  readonly round: RoundSketch;
  readonly updates: readonly Float32Array[];
} {
  // A copy, as the bytes may begin where no float32 can.
  const values = new Float32Array(bytes.slice().buffer);
  const count = Math.floor(values.length / sketchSize);
  const all = Array.from({ length: count }, (_, i) => values.subarray(i * sketchSize, (i + 1) * sketchSize));
  return { round: { model: all[0]!, aggregate: all[1]! }, updates: all.slice(2) };
}
