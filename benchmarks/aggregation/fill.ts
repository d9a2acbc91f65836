import type { Rng } from '../../src/core/random/rng.ts';

/** Noise from one block that is shifted by row: fast to make, different in each row. */
export function fill(rows: readonly Float32Array[], rng: Rng): void {
  const noise = Float32Array.from({ length: 65537 + rows.length * 31 }, () => rng.gaussian());
  for (const [i, row] of rows.entries()) {
    for (let start = 0; start < row.length; start += 65536) {
      row.set(noise.subarray(i * 31, i * 31 + Math.min(65536, row.length - start)), start);
    }
  }
}
