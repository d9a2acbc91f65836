import { createBuiltinTrainer, splitSite } from '../adapters/trainer-builtin.ts';
import { livePoisons } from '../core/attacks/poison/index.ts';
import { type Dataset, featureCount, subset } from '../core/data/dataset.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Trainer } from '../ports/trainer.ts';

/** An attack that makes its training data anew in every round, by the model of the round. */
export type LivePoisonId = keyof typeof livePoisons;

export const isLivePoison = (kind: string): kind is LivePoisonId => Object.hasOwn(livePoisons, kind);

/**
 * Wraps how a site trains: before each round its labels are made anew from the honest ones. The trainer inside reads
 * `data` each time it trains.
 */
export function createLivePoisonTrainer(
  { plan, honest, poison, engine }: { plan: Plan; honest: Dataset; poison: LivePoisonId; engine: TrainingEngine },
  trainerOn: (data: Dataset) => Trainer,
): Trainer {
  const data = { ...honest, labels: honest.labels.slice() };
  const inner = trainerOn(data);
  const samples = {
    features: Float32Array.from(honest.features, (value) => value * honest.scale),
    labels: honest.labels,
    width: featureCount(honest),
    lineLength: honest.sampleShape.at(-1) ?? 1,
    classCount: honest.classCount,
  };
  return {
    ...inner,
    async train(task) {
      const { parameters } = task;
      const labels = await livePoisons[poison](samples, async (indexes, label) => {
        const some = subset(honest, indexes);
        const relabelled = { ...some, labels: some.labels.map(() => label) };
        return (await engine.evaluate({ spec: plan.model, parameters, data: relabelled })).loss;
      });
      data.labels.set(labels);
      return inner.train(task);
    },
  };
}

/** The built-in trainer of a site, as hostile as `poison` makes it. Hold-outs stay as they are. */
export function siteTrainer(site: {
  readonly plan: Plan;
  readonly data: Dataset;
  readonly poison: string | undefined;
  readonly engine: TrainingEngine;
}): Trainer {
  const { plan, data, poison = '', engine } = site;
  if (!isLivePoison(poison)) return createBuiltinTrainer(plan, data, engine);
  const { training, holdOut } = splitSite(plan, data);
  return createLivePoisonTrainer({ plan, honest: training, poison, engine }, (poisoned) =>
    createBuiltinTrainer(plan, { training: poisoned, holdOut }, engine),
  );
}
