import type { Entropy } from '../../ports/entropy.ts';
import { type Dataset, sampleCount } from '../data/dataset.ts';
import { noiseMultiplier } from '../privacy/accounting/noise-multiplier.ts';
import { flipCoins } from '../privacy/coins.ts';
import { createPrivateSum } from '../privacy/mechanisms/private-sum.ts';
import { checkJob, type TrainOptions } from './engine.ts';
import type { ModelSpec } from './model-spec.ts';
import { batchGradient } from './reference/engine.ts';

/** A site's training in one round under record-level privacy. */
export type PrivateTrainJob = {
  readonly spec: ModelSpec;
  readonly parameters: Float32Array;
  readonly data: Dataset;
  readonly options: Pick<TrainOptions, 'epochs' | 'batchSize' | 'learningRate' | 'weightDecay'>;
  /** What a proximal term pulls towards: public. */
  readonly proximal?: { readonly mu: number; readonly anchor: Float32Array } | undefined;
  readonly clipNorm: number;
  /** σ ÷ clip norm of each step: see `recordNoise`. */
  readonly noise: number;
  readonly entropy: Entropy;
};

/** Steps in a round, and the chance of a record to be in one. The number of records is taken to be public. */
export function recordSampling(
  records: number,
  { epochs, batchSize }: Pick<TrainOptions, 'epochs' | 'batchSize'>,
): { readonly steps: number; readonly sampleRate: number } {
  return { steps: epochs * Math.ceil(records / batchSize), sampleRate: Math.min(1, batchSize / records) };
}

/** The least noise with which all rounds of a site's training are (ε, δ)-private for each of its records. */
export function recordNoise(
  records: number,
  options: Pick<TrainOptions, 'epochs' | 'batchSize'>,
  budget: { readonly epsilon: number; readonly delta: number; readonly rounds: number },
): number {
  const { steps, sampleRate } = recordSampling(records, options);
  const { epsilon, delta, rounds } = budget;
  return noiseMultiplier({ epsilon, delta, sampleRate, steps: rounds * steps }).noiseMultiplier;
}

/**
 * DP-SGD: per-example clipping, exact integer noise.
 *
 * Formula:  each record is in a batch by a coin of its own (q = B/n); w ← w − η ((1/B) (Σ quantised clip(∇_i, C) + noise)
 *           + weight decay and proximal term), B the planned batch size: a fixed denominator.
 * Needs:    no momentum over rounds; n public.
 * Promises: adding or removing a record costs what Poisson-sampled Gaussian steps at `noise` cost, by any accountant, also
 *           for who sees every step. Without records a step is noise alone.
 * Cost:     a gradient of the reference engine for each sampled record, a sample of noise a parameter and step.
 * Source:   Abadi et al. 2016, arXiv:1607.00133. Differs: coins and noise are integers from secret bytes.
 */
export function trainPrivately(job: PrivateTrainJob): Float32Array<ArrayBuffer> {
  const { spec, parameters, data, options, proximal, clipNorm, noise, entropy } = job;
  checkJob({ spec, parameters, data });
  const records = Array.from({ length: sampleCount(data) }, (_, i) => i);
  const { steps, sampleRate } = recordSampling(records.length, options);
  const { learningRate, batchSize, weightDecay } = options;
  const w = Float64Array.from(parameters);
  for (let step = 0; step < steps; step++) {
    const sum = createPrivateSum({ dimension: w.length, clipNormL2: clipNorm, noiseMultiplier: noise, entropy });
    for (const record of flipCoins(entropy, records, sampleRate)) {
      sum.add(batchGradient(spec, w, data, [record]).gradient);
    }
    const gradient = sum.release();
    for (let k = 0; k < w.length; k++) {
      const pull = proximal === undefined ? 0 : proximal.mu * (w[k]! - proximal.anchor[k]!);
      w[k]! -= learningRate * (gradient[k]! / batchSize + weightDecay * w[k]! + pull);
    }
  }
  return Float32Array.from(w);
}
