import { sketchSize } from './sketch.ts';
import type { RoundSketch } from './update-features.ts';

/** The sketches of a round as bytes: of the model, of the aggregate, and one for each client, float32 little-endian. */
export function writeSketches(round: RoundSketch, updates: readonly Float32Array[]): Uint8Array {
  const all = [round.model, round.aggregate, ...updates];
  const bytes = new Uint8Array(4 * sketchSize * all.length);
  const view = new DataView(bytes.buffer);
  for (const [i, sketch] of all.entries()) {
    for (let k = 0; k < sketchSize; k++) view.setFloat32(4 * (i * sketchSize + k), sketch[k]!, true);
  }
  return bytes;
}

/** The sketches of a round from its bytes. */
export function readSketches(bytes: Uint8Array): {
  readonly round: RoundSketch;
  readonly updates: readonly Float32Array[];
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.byteLength / (4 * sketchSize));
  const all = Array.from({ length: count }, (_, i) =>
    Float32Array.from({ length: sketchSize }, (__, k) => view.getFloat32(4 * (i * sketchSize + k), true)),
  );
  return { round: { model: all[0]!, aggregate: all[1]! }, updates: all.slice(2) };
}
