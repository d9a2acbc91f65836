import { createRng } from '../../src/core/random/rng.ts';
import { createReferenceCompute } from '../../src/core/vector/reference.ts';
import { createWasmCompute } from '../../src/core/vector/wasm.ts';

const [n, d] = [16, 100_000];

/** The worst relative error of squared distances between raw weights that differ by 0.2 % of their norm, against float64. */
export async function distanceError(): Promise<number> {
  const rng = createRng(7);
  const common = Float32Array.from({ length: d }, () => rng.gaussian());
  const rows = Array.from({ length: n }, () => common.map((value) => value + 0.002 * rng.gaussian()));
  const fast = await createWasmCompute().gram(rows);
  const exact = await createReferenceCompute().gram(rows.map((row) => Float64Array.from(row)));
  const distance = ({ centred }: { readonly centred: Float64Array }, i: number, j: number): number =>
    centred[i * n + i]! + centred[j * n + j]! - 2 * centred[i * n + j]!;
  let worst = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const truth = distance(exact, i, j);
      worst = Math.max(worst, Math.abs(distance(fast, i, j) - truth) / truth);
    }
  }
  return worst;
}
