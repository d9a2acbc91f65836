import { type Dataset, subset } from '../core/data/dataset.ts';
import { splitHoldOut } from '../core/data/partition.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { Trainer } from '../ports/trainer.ts';

/** A site's data in the part that trains and the part that evaluates. */
export type SiteParts = { readonly training: Dataset; readonly holdOut: Dataset | null };

/** The built-in engine on a site's own data: trains on one part and evaluates on the hold-out. */
export function createBuiltinTrainer(
  plan: Plan,
  data: Dataset | SiteParts,
  engine: TrainingEngine = createWasmEngine(),
): Trainer {
  const { training, holdOut } = 'training' in data ? data : splitSite(plan, data);
  return {
    async train({ parameters, seed }) {
      const result = await engine.train({
        spec: plan.model,
        parameters,
        data: training,
        options: plan.training,
        rng: createRng(seed),
      });
      return { parameters: result.parameters, examples: result.examples };
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
