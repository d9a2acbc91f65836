import { log } from '../../numerics/portable.ts';
import { medianOf } from '../../aggregation/rule.ts';
import { topEigenpair } from '../../aggregation/eigen.ts';

/** What is measured of an update, and how small a difference between clients still means something. */
export const features = {
  norm: { floor: 0.05, says: 'its length' },
  cosine: { floor: 0.02, says: 'its direction against the aggregate' },
  cohort: { floor: 0.02, says: 'its direction against the other updates together' },
  reference: { floor: 0.02, says: 'its direction against the last aggregate' },
  positive: { floor: 0.005, says: 'its share of positive coordinates' },
  agreement: { floor: 0.01, says: 'its share of coordinates that agree in sign with the aggregate' },
  support: { floor: 0.002, says: 'its share of coordinates that are exactly zero' },
  flatness: { floor: 0.02, says: 'how evenly its length is spread over coordinates' },
  nearest: { floor: 0.1, says: 'its distance to the nearest other update' },
  crowding: { floor: 0.05, says: 'its distances to the nearer half of the others' },
  spectral: { floor: 0.02, says: "its share in the cohort's main direction of disagreement" },
  layers: { floor: 0.1, says: 'how its length is spread over layers' },
  balance: { floor: 0.3, says: 'the sums of its layers, which are zero where a softmax was trained' },
  repeat: { floor: 0.02, says: 'its likeness to the same client’s last update' },
  curvature: { floor: 0.03, says: 'its answer to the step of the model since its last update' },
  prediction: { floor: 0.05, says: "its distance from what the client's history predicts" },
  root: { floor: 0.01, says: 'what it does to the loss on the root set' },
} as const satisfies Record<string, { readonly floor: number; readonly says: string }>;

export type FeatureId = keyof typeof features;

export const featureIds = Object.keys(features) as readonly FeatureId[];

/** One number for each feature; NaN where it could not be measured. */
export type Features = Readonly<Record<FeatureId, number>>;

/** Features in their order as a list, and back. A name that is no longer known is passed over. */
export const unmeasured = Object.fromEntries(featureIds.map((id) => [id, Number.NaN])) as Features;

/** Products of the rows of a round: what the Gram pass gives. */
export type Products = {
  readonly count: number;
  norm(i: number): number;
  dot(i: number, j: number): number;
  distance2(i: number, j: number): number;
};

/**
 * The features that products hold. Long rows count as if they had the median length, so that one of them cannot turn
 * what "the others" mean.
 *
 * Formula:  cohort: cos(x_i, Σ_{j≠i} s_j x_j), s_j = min(1, median/‖x_j‖). nearest: ln of the nearest distance over the
 *           median of those. crowding: ln of the sum of the ⌈n/2⌉ least squared distances. spectral: λ v_i²/H_ii of the top
 *           eigenpair of the centred products H of the rows s_i x_i.
 * Cost:     O(n² log n) after the Gram pass.
 */
export function productFeatures(rows: Products): Pick<Features, 'cohort' | 'nearest' | 'crowding' | 'spectral'>[] {
  const n = rows.count;
  if (n < 3) return Array.from({ length: n }, () => unmeasured);
  const norms = Float64Array.from({ length: n }, (_, i) => rows.norm(i));
  const usual = medianOf(norms);
  const shares = norms.map((norm) => (norm > usual ? usual / norm : 1));
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] = shares[i]! * shares[j]! * rows.dot(i, j);
  const sums = Float64Array.from({ length: n }, (_, i) => sumOf(gram.subarray(i * n, i * n + n)));
  const total = sumOf(sums);
  const sorted = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_, j) => (j === i ? Number.POSITIVE_INFINITY : rows.distance2(i, j))).sort(),
  );
  const usualNearest = medianOf(sorted.map((distances) => Math.sqrt(distances[0]!)));
  const centred = gram.map((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return value - sums[i]! / n - sums[j]! / n + total / (n * n);
  });
  // Below the rounding of the products nobody disagrees with anybody: what is left has no direction.
  const disagrees = centred.some((value) => Math.abs(value) > roundingShare * (total / (n * n)));
  const top = disagrees ? topEigenpair(centred, n) : { value: 0, vector: new Float64Array(n) };
  return sorted.map((distances, i) => {
    const own = gram[i * n + i]!;
    const others2 = total - 2 * sums[i]! + own;
    const product = Math.sqrt(Math.max(0, own * others2));
    return {
      cohort: product > 0 ? (sums[i]! - own) / product : 0,
      nearest: logOf(Math.sqrt(distances[0]!), usualNearest),
      crowding: log(sumOf(distances.subarray(0, Math.ceil(n / 2))) + tiny),
      spectral: (top.value * top.vector[i]! ** 2) / Math.max(tiny, centred[i * n + i]!),
    };
  });
}

const tiny = 1e-12;
/** What float32 products may be off by, as a share of the mean product. */
const roundingShare = 1e-12;

/** ln(a/b), finite for zeros: nothing is farther than e⁻²⁰. */
function logOf(a: number, b: number): number {
  return log(Math.max(a, 2e-9 * b, Number.MIN_VALUE)) - log(Math.max(b, Number.MIN_VALUE));
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
