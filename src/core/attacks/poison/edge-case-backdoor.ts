import { type Poison, type Samples, targetLabel } from './samples.ts';

/**
 * Edge-case backdoor: relabels the samples that are least like their class, which hardly any honest client has.
 *
 * Formula:   the tenth of the samples farthest from the mean of their class gets the target's label.
 * Source:    Wang et al. 2020, arXiv:2007.05084.
 */
export const edgeCaseBackdoor: Poison = (samples) => {
  const labels = samples.labels.slice();
  for (const i of edgeCases(samples)) labels[i] = targetLabel;
  return { ...samples, labels };
};

/** The tenth of the samples that is least like its class, the farthest first; the same in test data is what it aims at. */
export function edgeCases(samples: Samples): readonly number[] {
  const distances = distancesToClass(samples);
  const order = Array.from(distances, (_, i) => i).sort((a, b) => distances[b]! - distances[a]! || a - b);
  return order.slice(0, Math.ceil(order.length / 10));
}

function distancesToClass({ features, labels, width, classCount }: Samples): Float64Array {
  const sums = Array.from({ length: classCount }, () => new Float64Array(width));
  const counts = new Float64Array(classCount);
  for (const [i, label] of labels.entries()) {
    counts[label]! += 1;
    for (let k = 0; k < width; k++) sums[label]![k]! += features[i * width + k]!;
  }
  return Float64Array.from(labels, (label, i) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += (features[i * width + k]! - sums[label]![k]! / counts[label]!) ** 2;
    return sum;
  });
}
