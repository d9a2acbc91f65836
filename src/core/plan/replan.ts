import { z } from 'zod';
import { isWithin, type Replan } from '../privacy/ledger/course.ts';

const range = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([low, high]) => low <= high, 'must be [least, most], the least first');

/** What of a run may be solved anew while it runs, and within which range. */
export const replanSchema = z.strictObject({
  noise: range(z.number().positive().max(1e6))
    .optional()
    .describe('least and most noise multiplier (default: any that meets the budget, never more than doubled at once)'),
  clipNorm: range(z.number().positive().max(1e9))
    .optional()
    .describe('least and most clip norm that adaptiveClip may set (default: any; fixed without adaptiveClip)'),
  sampleRate: range(z.number().positive().max(1))
    .optional()
    .describe(
      'least and most sample rate: it follows how many clients are there, so that the expected cohort stays as planned (default: fixed)',
    ),
  rounds: range(z.int().min(1).max(100_000))
    .optional()
    .describe('least and most rounds: as many as the budget is good for at the planned noise (default: fixed)'),
});

type Given = {
  readonly replan?: Replan | undefined;
  readonly replanEvery?: number | undefined;
  readonly mechanism: string;
  readonly sampleRate: number;
  readonly adaptiveClip?: object | undefined;
};

/** What keeps a plan from being solved anew as it asks, each with the nearest plan that can be. */
export function replanProblems(
  given: Given,
  { rounds, clipNorm }: { readonly rounds: number; readonly clipNorm: number },
  refuse: (path: string, message: string) => void,
): void {
  const { replan, replanEvery, mechanism, sampleRate, adaptiveClip } = given;
  if (replan === undefined) return;
  if (mechanism === 'dp-ftrl') {
    refuse(
      'privacy.replan',
      'must be left out with dp-ftrl, as one value sums rounds of one noise and participation limits take the place of coins (nearest: no replan)',
    );
    return;
  }
  if (replanEvery === 0) {
    refuse('privacy.replanEvery', 'must be above 0 with privacy.replan (nearest: 10): current value is 0');
  }
  if (replan.clipNorm !== undefined && adaptiveClip === undefined) {
    refuse(
      'privacy.replan.clipNorm',
      'must be left out without adaptiveClip, as a clip that follows the clients is tracked privately and paid for (nearest: adaptiveClip = {})',
    );
  }
  const planned = { sampleRate, rounds, clipNorm };
  const paths = { sampleRate: 'privacy.sampleRate', rounds: 'rounds.count', clipNorm: 'privacy.clipNorm' };
  for (const name of ['sampleRate', 'rounds', 'clipNorm'] as const) {
    const allowed = replan[name];
    const value = planned[name];
    if (allowed === undefined || isWithin(allowed, value)) continue;
    refuse(
      `privacy.replan.${name}`,
      `must hold ${paths[name]}, which is ${value} (nearest: [${Math.min(value, allowed[0])}, ${Math.max(value, allowed[1])}]): current value is [${allowed.join(', ')}]`,
    );
  }
}
