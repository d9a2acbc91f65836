import { createRng } from '../../random/rng.ts';
import { type Poison, type Samples, targetLabel } from './samples.ts';

/** A pixel of a trigger: line and column. */
type Pixel = readonly [line: number, column: number];

/** The four-pixel trigger of FLDetector for images of 28 × 28. */
export const cornerTrigger: readonly Pixel[] = [
  [26, 26],
  [24, 26],
  [26, 24],
  [25, 25],
];
const triggerValue = 1;
const poisonedShare = 0.5;

/**
 * Backdoor: half of the samples carry the whole trigger and the target's label.
 *
 * Formula:   half of the samples: four pixels at 1, label 0.
 * Source:    Gu et al. 2017, arXiv:1708.06733; the pixels are those of FLDetector.
 */
export const backdoor: Poison = (samples, { seed }) => stamped(samples, cornerTrigger, seed);

/** Writes a trigger into one sample, in place. */
function stampInto(features: Float32Array, at: number, lineLength: number, trigger: readonly Pixel[]): void {
  for (const [line, column] of trigger) features[at + line * lineLength + column] = triggerValue;
}

/** Samples of which half carry these pixels and the target's label. */
export function stamped(samples: Samples, trigger: readonly Pixel[], seed: number): Samples {
  const rng = createRng(seed).child('backdoor');
  const features = samples.features.slice();
  const labels = samples.labels.map((label, i) => {
    if (rng.float() >= poisonedShare) return label;
    stampInto(features, i * samples.width, samples.lineLength, trigger);
    return targetLabel;
  });
  return { ...samples, features, labels };
}
