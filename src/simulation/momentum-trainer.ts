import { type Dataset, subset } from '../core/data/dataset.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { Trainer, TrainerResult } from '../ports/trainer.ts';

/**
 * Distributed SGD with worker momentum, as the literature on robust rules has it: each round a client draws one
 * mini-batch with replacement, and sends a moving average of its steps that it keeps from round to round.
 *
 * Formula:  m ← β m + (1 − β) (−η g(w; batch)), sent as w + m; g holds the weight decay, m starts at 0.
 * Promises: every client claims the same number of examples, the batch. No hold-out: nothing is evaluated at a client.
 * Source:   Karimireddy et al. 2021, arXiv:2012.10333, section 4.
 */
export function createMomentumTrainer(site: {
  readonly plan: Plan;
  readonly pool: Dataset;
  /** The client's samples in the pool. */
  readonly share: Uint32Array;
  /** β. */
  readonly momentum: number;
  readonly engine: TrainingEngine;
}): Trainer {
  const { plan, pool, share, momentum, engine } = site;
  const options = { ...plan.training, epochs: 1, momentum: 0 };
  let average: Float32Array | undefined;

  return {
    async train({ parameters, seed }): Promise<TrainerResult> {
      const rng = createRng(seed);
      const drawn = Uint32Array.from({ length: options.batchSize }, () => share[rng.below(share.length)]!);
      const data = subset(pool, drawn);
      const result = await engine.train({ spec: plan.model, parameters, data, options, rng });
      average ??= new Float32Array(parameters.length);
      // The engine's answer is ours to change: no other holds it.
      moveAverage(average, result.parameters, parameters, momentum);
      return { parameters: result.parameters, examples: options.batchSize };
    },
    evaluate: async () => ({ examples: 0, lossSum: 0, correctCount: 0 }),
  };
}

/** m ← β m + (1 − β)(after − before), then after ← before + m. */
function moveAverage(average: Float32Array, after: Float32Array, before: Float32Array, beta: number): void {
  const rest = 1 - beta;
  for (let i = 0; i < average.length; i++) {
    const moved = Math.fround(beta * average[i]! + rest * (after[i]! - before[i]!));
    average[i] = moved;
    after[i] = before[i]! + moved;
  }
}
