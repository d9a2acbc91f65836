import { z } from 'zod';
import type { TrainerPace } from '../../ports/trainer.ts';

/** The plan's setting of how much a site trains, by what it measures of itself. */
export const adaptiveSchema = z.strictObject({
  roundSeconds: z
    .number()
    .positive()
    .max(86_400)
    .describe('how long download, training and upload of a round should take a site'),
  stepsMin: z.int().min(1).max(10_000).default(8).describe('steps below which batches become smaller instead'),
});

/** What a site has measured of itself. */
export type Measured = {
  /** In training; null before it has trained. */
  readonly secondsPerSample: number | null;
  /** Download and upload of a round; null before both have happened. */
  readonly transferSeconds: number | null;
  /** Samples trained on in the last round, each as often as it was. */
  readonly samples: number | null;
};

export const nothingMeasured: Measured = { secondsPerSample: null, transferSeconds: null, samples: null };

/**
 * How much a site trains so that its round takes as long as wanted. Never more than the plan's epochs.
 *
 * Formula:  samples s = (roundSeconds − transferSeconds) ÷ secondsPerSample; steps = ⌊s ÷ batch⌋ of the plan's batches;
 *           where these are fewer than stepsMin: stepsMin steps of ⌊s ÷ stepsMin⌋ samples, and below one sample in a step,
 *           ⌊s⌋ steps of one, at least one.
 * Promises: undefined, and so the plan's own amount, before anything was measured.
 * Differs:  batches of another size are taken to cost in proportion; the next measurement corrects that.
 */
export function adaptedPace(
  { roundSeconds, stepsMin }: z.output<typeof adaptiveSchema>,
  { secondsPerSample, transferSeconds }: Measured,
  batchSize: number,
): TrainerPace | undefined {
  if (secondsPerSample === null || secondsPerSample <= 0) return undefined;
  const samples = Math.max(0, roundSeconds - (transferSeconds ?? 0)) / secondsPerSample;
  const steps = Math.floor(samples / batchSize);
  if (steps >= stepsMin) return { stepsMax: Math.min(steps, Number.MAX_SAFE_INTEGER), batchSize };
  const smaller = Math.min(batchSize, Math.floor(samples / stepsMin));
  if (smaller >= 1) return { stepsMax: stepsMin, batchSize: smaller };
  return { stepsMax: Math.max(1, Math.floor(samples)), batchSize: 1 };
}

/** Old and new measurement in equal parts: one slow round does not decide the next. */
export function smoothed(before: number | null, now: number): number {
  return before === null ? now : (before + now) / 2;
}

/** How long a round takes a site, as far as it knows; undefined where it does not. */
export function roundSeconds({ secondsPerSample, transferSeconds, samples }: Measured): number | undefined {
  if (secondsPerSample === null || samples === null) return undefined;
  return secondsPerSample * samples + (transferSeconds ?? 0);
}
