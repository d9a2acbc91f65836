import { type Dataset, sampleCount } from '../../src/core/data/dataset.ts';
import { inputCountOf, type ModelSpec } from '../../src/core/learning/model-spec.ts';
import { recordNoise, trainPrivately } from '../../src/core/learning/private-training.ts';
import { referenceEngine } from '../../src/core/learning/reference/engine.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { createSimulatedEntropy } from '../../src/simulation/world/simulated-entropy.ts';

export type Site = { readonly training: Dataset; readonly test: Dataset };
export type Setting = {
  readonly rounds: number;
  readonly batch: number;
  readonly rate: number;
  readonly clip: number;
};
export type Budget = { readonly epsilon: number; readonly delta: number };

const noises = new Map<string, number>();

function noiseOf(records: number, { rounds, batch }: Setting, budget: Budget): number {
  const key = JSON.stringify([records, rounds, batch, budget]);
  const known = noises.get(key);
  if (known !== undefined) return known;
  const solved = recordNoise(records, { epochs: 1, batchSize: batch }, { ...budget, rounds });
  noises.set(key, solved);
  return solved;
}

/** Accuracy on the pooled test rows after rounds of private training at each site; the mean is weighted by the rows. */
export async function accuracyOf(
  spec: ModelSpec,
  sites: readonly Site[],
  setting: Setting,
  { budget, seed }: { readonly budget: Budget; readonly seed: number },
): Promise<number> {
  const { rounds, batch, rate, clip: clipNorm } = setting;
  const options = { epochs: 1, batchSize: batch, learningRate: rate, weightDecay: 0 };
  const entropy = createSimulatedEntropy(createRng(seed).child('entropy', String(budget.epsilon)));
  const sizes = sites.map(({ training }) => sampleCount(training));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isPrivate = Number.isFinite(budget.epsilon);
  let parameters = new Float32Array(2 * inputCountOf(spec) + 2);
  for (let round = 0; round < rounds; round++) {
    const next = new Float32Array(parameters.length);
    for (const [i, { training: data }] of sites.entries()) {
      const noise = isPrivate ? noiseOf(sizes[i]!, setting, budget) : 1e-3;
      const trained = trainPrivately({ spec, parameters, data, options, clipNorm, noise, entropy });
      for (let k = 0; k < next.length; k++) next[k]! += (sizes[i]! / total) * trained[k]!;
    }
    parameters = next;
  }
  let [correct, examples] = [0, 0];
  for (const { test } of sites) {
    const evaluation = await referenceEngine.evaluate({ spec, parameters, data: test });
    correct += evaluation.correctCount;
    examples += evaluation.examples;
  }
  return correct / examples;
}
