import { adaptedPace, type Measured, nothingMeasured, roundSeconds, smoothed } from '../core/learning/pace.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { SiteMemory } from '../ports/site-memory.ts';
import type { Trainer, TrainerPace, TrainerResult, TrainerTask } from '../ports/trainer.ts';

/** What a site measures of itself, over restarts too, and what follows from it where the plan asks. */
export type PaceKeeper = {
  /** How long a round takes this site; undefined where the plan does not ask, or nothing is known. */
  claim(): Promise<number | undefined>;
  /** How much to train; undefined: as the plan says. */
  next(): Promise<TrainerPace | undefined>;
  /** Trains and measures. */
  train(task: TrainerTask): Promise<TrainerResult>;
  /** Counts the time of something that is sent or fetched in a round. */
  transferring<T>(work: () => Promise<T>): Promise<T>;
  /** The round is over for this site: what it measured is kept. */
  settle(): Promise<void>;
};

export function createPaceKeeper(parts: {
  readonly plan: Plan;
  readonly trainer: Trainer;
  readonly memory: SiteMemory;
  readonly clock: Clock;
}): PaceKeeper {
  const { plan, trainer, memory, clock } = parts;
  const { adaptive, batchSize, epochs } = plan.training;
  const isAsked = adaptive !== undefined || plan.cohort.selection.by === 'capability';
  let known: Measured | undefined;
  let transferMs = 0;

  async function measured(): Promise<Measured> {
    if (known !== undefined) return known;
    const bytes = await memory.read('pace');
    known = bytes === undefined ? nothingMeasured : (JSON.parse(new TextDecoder().decode(bytes)) as Measured);
    // A trainer that can tell beforehand spares the first round a guess.
    if (
      known.secondsPerSample === null &&
      trainer.secondsPerSample !== undefined &&
      trainer.sampleCount !== undefined
    ) {
      known = {
        ...known,
        secondsPerSample: await trainer.secondsPerSample(),
        samples: epochs * trainer.sampleCount,
      };
    }
    return known;
  }

  async function next(): Promise<TrainerPace | undefined> {
    return adaptive === undefined ? undefined : adaptedPace(adaptive, await measured(), batchSize);
  }

  return {
    claim: async () => (isAsked ? roundSeconds(await measured()) : undefined),
    next,
    async train(task) {
      if (!isAsked || task.purpose === 'personal') return trainer.train(task);
      const before = await measured();
      const startMs = clock.monotonicMs();
      const result = await trainer.train(task);
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      const samples =
        result.steps === undefined
          ? epochs * result.examples
          : result.steps * Math.min(task.pace?.batchSize ?? batchSize, Math.max(1, result.examples));
      if (samples > 0) {
        known = { ...before, samples, secondsPerSample: smoothed(before.secondsPerSample, seconds / samples) };
      }
      return result;
    },
    async transferring(work) {
      const startMs = clock.monotonicMs();
      try {
        return await work();
      } finally {
        transferMs += clock.monotonicMs() - startMs;
      }
    },
    async settle() {
      const seconds = transferMs / 1000;
      transferMs = 0;
      if (!isAsked) return;
      const before = await measured();
      known = { ...before, transferSeconds: smoothed(before.transferSeconds, seconds) };
      await memory.write('pace', new TextEncoder().encode(JSON.stringify(known)));
    },
  };
}
