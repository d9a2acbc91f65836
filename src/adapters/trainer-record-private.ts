import { type Dataset, sampleCount } from '../core/data/dataset.ts';
import { recordNoise, recordSampling, trainPrivately } from '../core/learning/private-training.ts';
import { updateBudget } from '../core/plan/local-privacy.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Trainer } from '../ports/trainer.ts';

/** The built-in training under record-level privacy: each record's gradient is clipped, and each step noised. */
export function createRecordPrivateTrainer(
  plan: Plan,
  training: Dataset,
  entropy: Entropy,
  /** The categories of the rows, by column: for histograms. */
  categories: Readonly<Record<string, Int32Array>> = {},
): Trainer {
  const { privacy } = plan;
  if (privacy.mode !== 'local' || privacy.unit !== 'record') {
    throw new RangeError(
      `Cannot train privately by record as privacy must be mode "local", unit "record": current value is "${privacy.mode}"`,
    );
  }
  const { clipNorm } = privacy;
  const { epsilon, delta } = updateBudget(privacy, plan.rounds);
  const records = sampleCount(training);
  let solved: number | undefined;
  const noiseOf = () => (solved ??= recordNoise(records, plan.training, { epsilon, delta, rounds: plan.rounds.count }));
  return {
    categoriesOf: (what) => (what === 'label' ? training.labels : categories[what]),
    recordSteps: () => ({ noiseMultiplier: noiseOf(), ...recordSampling(records, plan.training) }),
    async train({ parameters, proximal }) {
      const noise = noiseOf();
      const job = { spec: plan.model, parameters, data: training, options: plan.training, clipNorm, noise, entropy };
      const { learningRate } = plan.training;
      return {
        parameters: trainPrivately({ ...job, proximal }),
        examples: records,
        steps: 1,
        learningRate,
        momentum: 0,
      };
    },
    evaluate: () =>
      Promise.reject(new Error('Cannot evaluate as a site under record-level privacy must give no figures')),
  };
}
