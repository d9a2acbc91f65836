// Cross-device federations in one loop: cohorts of clients that come when they can, under DP-FTRL and under DP-FedAvg.
import { boundedAggregator } from '../../src/core/aggregation/bounded.ts';
import type { Dataset } from '../../src/core/data/dataset.ts';
import type { TrainingEngine, TrainOptions } from '../../src/core/learning/engine.ts';
import { initialParameters, type ModelSpec } from '../../src/core/learning/model-spec.ts';
import { releaseBounded } from '../../src/core/privacy/bounded-release.ts';
import { flipCoins } from '../../src/core/privacy/coins.ts';
import { STRATEGIES, type StrategyId } from '../../src/core/privacy/ftrl/index.ts';
import { emptySums } from '../../src/core/privacy/ftrl/strategy.ts';
import { drawSumNoise, releaseSum } from '../../src/core/privacy/ftrl/sum-release.ts';
import { noiseMultiplier } from '../../src/core/privacy/index.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { createSimulatedEntropy } from '../../src/simulation/world/simulated-entropy.ts';

/** `coins`: DP-FedAvg with secret Poisson samples. `no-coins`: the same cohorts as DP-FTRL, with fresh noise in each round. */
export type CrossDeviceMode = StrategyId | 'coins' | 'no-coins' | 'no-noise';

export type CrossDevice = {
  readonly spec: ModelSpec;
  readonly sites: readonly Dataset[];
  readonly test: Dataset;
  readonly training: TrainOptions;
  readonly rounds: number;
  readonly cohort: number;
  readonly restartEvery: number;
  readonly mode: CrossDeviceMode;
  readonly epsilon: number;
  readonly delta: number;
  readonly clipNorm: number;
  readonly momentum: number;
  readonly serverRate: number;
  readonly seed: number;
};

/** Runs all rounds: accuracy after the last, and the noise multiplier. */
export async function runCrossDevice(
  setting: CrossDevice,
  engine: TrainingEngine,
): Promise<{ readonly accuracy: number; readonly noise: number }> {
  const { spec, sites, rounds, cohort, mode, epsilon, delta, clipNorm, seed } = setting;
  const root = createRng(seed);
  const entropy = createSimulatedEntropy(root.child('entropy'));
  const separation = Math.floor(sites.length / cohort) - 1;
  const max = Math.ceil(rounds / (separation + 1));
  const bound = boundedAggregator([{ rule: 'centered-clipping', radius: clipNorm }], cohort);
  if (!bound.ok) throw new Error(bound.reason);
  const strategy =
    mode === 'tree' || mode === 'banded'
      ? STRATEGIES[mode]({
          steps: rounds,
          max,
          separation,
          restartEvery: setting.restartEvery,
          bands: separation + 1,
        })
      : null;
  const noise = noiseOf();
  const clients = root.child('order').shuffleInPlace(sites.map((_, i) => i));
  let parameters: Float32Array = initialParameters(spec, root.child('model'));
  const zero = new Float32Array(parameters.length);
  const velocity = new Float64Array(parameters.length);
  let state = emptySums;

  for (let round = 0; round < rounds; round++) {
    const present = mode === 'coins' ? flipCoins(entropy, clients, cohort / sites.length) : inTurn(round);
    const updates: Float32Array[] = [];
    for (const i of present) {
      const rng = root.child('train', i, round);
      const data = sites[i]!;
      const trained = (await engine.train({ spec, parameters, data, options: setting.training, rng })).parameters;
      updates.push(trained.map((value, k) => value - parameters[k]!));
    }
    const step = released(updates, round);
    for (let k = 0; k < velocity.length; k++) velocity[k] = setting.momentum * velocity[k]! + step[k]!;
    parameters = parameters.map((value, k) => value + setting.serverRate * velocity[k]!);
  }
  return { accuracy: (await engine.evaluate({ spec, parameters, data: setting.test })).accuracy, noise };

  function noiseOf(): number {
    if (mode === 'no-noise') return 1e-3;
    if (mode === 'coins') {
      return noiseMultiplier({ epsilon, delta, sampleRate: cohort / sites.length, steps: rounds }).noiseMultiplier;
    }
    const one = noiseMultiplier({ epsilon, delta, sampleRate: 1, steps: 1 }).noiseMultiplier;
    return one * Math.sqrt(strategy?.sensitivitySquare() ?? max);
  }

  /** Clients come in a fixed order, so that as many rounds as can be lie between two of each. */
  function inTurn(round: number): readonly number[] {
    return Array.from({ length: cohort }, (_, i) => clients[(round * cohort + i) % clients.length]!);
  }

  function released(updates: readonly Float32Array[], round: number): ArrayLike<number> {
    if (!bound.ok) throw new Error(bound.reason);
    if (strategy === null) {
      return releaseBounded(bound.value, updates, { reference: zero, noiseMultiplier: noise, entropy }).vector;
    }
    const dimension = parameters.length;
    const count = strategy.valuesAt(round);
    const drawn = drawSumNoise(entropy, { dimension, count, clipNormL2: clipNorm, noiseMultiplier: noise });
    const made = releaseSum(bound.value, updates, { dimension, noiseMultiplier: noise, strategy, state, noise: drawn });
    state = made.state;
    return made.vector;
  }
}
