import { createDataset, type Dataset } from '../../src/core/data/dataset.ts';
import { createRng, type Rng } from '../../src/core/random/rng.ts';
import type { Site } from './federation.ts';

/** Rows for training and test at each site: about as many as a small study has. */
const sizes = [
  [200, 100],
  [170, 90],
  [30, 15],
  [85, 45],
] as const;
/** Distance of the two classes in deviations: the best rule is right in four of five. */
const distance = 1.7;
const features = 13;

/** Four made-up sites: two Gaussian classes, a shift and a share of cases of each site's own, standardised at the site. */
export function syntheticSites(seed: number): readonly Site[] {
  const rng = createRng(seed).child('synthetic');
  const raw = Array.from({ length: features }, () => rng.gaussian());
  const norm = Math.hypot(...raw);
  const direction = raw.map((value) => (distance * value) / norm);
  return sizes.map(([training, test]) => {
    const share = 0.3 + 0.6 * rng.float();
    const shift = direction.map(() => 0.5 * rng.gaussian());
    const rows = Array.from({ length: training + test }, () => rowOf(rng, share, { direction, shift }));
    const known = rows.slice(0, training);
    const scales = direction.map((_, j) => scaleOf(known.map(({ values }) => values[j]!)));
    const part = (some: typeof rows): Dataset =>
      createDataset({
        features: Float32Array.from(
          some.flatMap(({ values }) => values.map((value, j) => (value - scales[j]!.mean) / scales[j]!.deviation)),
        ),
        labels: Int32Array.from(some, ({ label }) => label),
        scale: 1,
        sampleShape: [features],
        classCount: 2,
      });
    return { training: part(known), test: part(rows.slice(training)) };
  });
}

function rowOf(
  rng: Rng,
  share: number,
  classes: { readonly direction: readonly number[]; readonly shift: readonly number[] },
) {
  const label = rng.float() < share ? 1 : 0;
  const values = classes.direction.map((d, j) => classes.shift[j]! + (label - 0.5) * d + rng.gaussian());
  return { label, values };
}

function scaleOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}
