import { type Dataset, sampleCount, subset } from '../core/data/dataset.ts';
import { splitHoldOut } from '../core/data/partition.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { manifestOf } from '../core/learning/model-spec.ts';
import { newtonSums } from '../core/learning/newton.ts';
import { unknownsOf } from '../core/learning/newton-update.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import { parameterCount } from '../core/model/manifest.ts';
import { regressionOf } from '../core/plan/newton.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { Trainer } from '../ports/trainer.ts';

/** A site's data in the part that trains and the part that evaluates. */
export type SiteParts = {
  readonly training: Dataset;
  readonly holdOut: Dataset | null;
  /** The categories of the training part's rows, by column. */
  readonly categories?: Readonly<Record<string, Int32Array>>;
};

/** Steps that are timed to tell how long training takes. */
const probeSteps = 8;

/** The built-in engine on a site's own data: trains on one part and evaluates on the hold-out. */
export function createBuiltinTrainer(
  plan: Plan,
  data: Dataset | SiteParts,
  engine: TrainingEngine = createWasmEngine(),
): Trainer {
  const { training, holdOut, categories }: SiteParts = 'training' in data ? data : splitSite(plan, data);
  const { adaptive: _, ...options } = plan.training;
  const { learningRate, momentum } = options;
  return {
    sampleCount: sampleCount(training),
    categoriesOf: (what) => (what === 'label' ? training.labels : categories?.[what]),
    async secondsPerSample() {
      const parameters = new Float32Array(parameterCount(manifestOf(plan.model)));
      const job = { spec: plan.model, parameters, data: training, options: { ...options, epochs: 1 } };
      const started = performance.now();
      const { steps } = await engine.train({ ...job, stepsMax: probeSteps, rng: createRng(0) });
      const samples = Math.min(steps * options.batchSize, sampleCount(training));
      return (performance.now() - started) / 1000 / samples;
    },
    async train({ parameters, seed, proximal, correction, pace, wants }) {
      if (wants === 'sums') {
        const sums = newtonSums(training, unknownsOf(parameters, regressionOf(plan.model)));
        return { parameters, examples: sums.examples, sums };
      }
      const result = await engine.train({
        spec: plan.model,
        parameters,
        data: training,
        options: { ...options, batchSize: pace?.batchSize ?? options.batchSize, proximalMu: proximal?.mu ?? 0 },
        ...(pace === undefined ? {} : { stepsMax: pace.stepsMax }),
        ...(proximal === undefined ? {} : { proximalAnchor: proximal.anchor }),
        ...(correction === undefined ? {} : { gradientCorrection: correction }),
        rng: createRng(seed),
      });
      return { parameters: result.parameters, examples: result.examples, steps: result.steps, learningRate, momentum };
    },
    async evaluate({ parameters }) {
      if (holdOut === null) return { examples: 0, lossSum: 0, correctCount: 0 };
      const { examples, lossSum, correctCount } = await engine.evaluate({
        spec: plan.model,
        parameters,
        data: holdOut,
      });
      return { examples, lossSum, correctCount };
    },
  };
}

/** A site's data in two parts. It depends on the plan and the data alone, so that it is the same after a restart. */
export function splitSite(plan: Plan, data: Dataset): SiteParts {
  const { holdoutShare } = plan.data;
  if (holdoutShare === 0) return { training: data, holdOut: null };
  const indexes = Uint32Array.from(data.labels.keys());
  const { kept, heldOut } = splitHoldOut(indexes, holdoutShare, createRng(plan.seed).child('hold-out'));
  return { training: subset(data, kept), holdOut: subset(data, heldOut) };
}
