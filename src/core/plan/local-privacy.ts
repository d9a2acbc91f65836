import { z } from 'zod';
import type { Pipeline } from '../aggregation/pipeline.ts';
import { manifestOf, type ModelSpec } from '../learning/model-spec.ts';
import { elementCount } from '../model/manifest.ts';
import { histogramEpsilon } from './histograms.ts';
import { type ReportBudget, type UnitUpdates, unitUpdateNorm, unitUpdates } from '../privacy/local/priv-unit-update.ts';

/** How a site makes its updates private, under local privacy of a client. */
export const localMechanismSchema = z
  .enum(['gaussian', 'priv-unit'])
  .default('gaussian')
  .describe(
    'gaussian: exact discrete Gaussian noise on the clipped update. priv-unit: a random direction near that of the clipped update, of a length that is the same for all; pure ε in each round',
  );

type Given = {
  readonly privacy: { readonly mechanism: 'gaussian' | 'priv-unit'; readonly unit: 'client' | 'record' };
  readonly model: ModelSpec;
  readonly rounds: { readonly count: number };
};

type Amounts = {
  readonly epsilon: number;
  readonly delta: number;
  readonly clipNorm: number;
  readonly histograms?: Parameters<typeof histogramEpsilon>[0]['histograms'];
};

/** What the updates of one site may cost together: what the reports for histograms leave of ε (basic composition). */
export function updateBudget(amounts: Omit<Amounts, 'clipNorm'>, rounds: { readonly count: number }): ReportBudget {
  return { epsilon: amounts.epsilon - histogramEpsilon(amounts), delta: amounts.delta, releases: rounds.count };
}

/** PrivUnit as a plan has it. Errors: RangeError where ε is too small for the model. */
export function unitUpdatesOf({ model, rounds }: Omit<Given, 'privacy'>, amounts: Amounts): UnitUpdates {
  const dimension = manifestOf(model).reduce((sum, tensor) => sum + elementCount(tensor), 0);
  return unitUpdates(dimension, updateBudget(amounts, rounds));
}

/**
 * The pipeline of a plan with PrivUnit that names none: every report has the same norm, so who sends a longer one is cut
 * to it, and a liar moves the mean by no more than an honest report may.
 */
export function unitPipeline(given: Omit<Given, 'privacy'>, amounts: Amounts): Pipeline {
  const setting = settingOf(given, amounts);
  if (setting === null) return [{ rule: 'mean' }];
  const norm = unitUpdateNorm(setting, amounts.clipNorm);
  // Three digits, upwards: the same on every machine, and above what rounding in a codec adds.
  const step = 10 ** (Math.floor(Math.log10(norm)) - 2);
  return [{ rule: 'clipping', radius: Number((Math.ceil(norm / step + 0.5) * step).toPrecision(3)) }, { rule: 'mean' }];
}

type Refuse = (path: string, message: string) => void;

/** What keeps a plan from its local mechanism. */
export function localMechanismProblems({ privacy, model, rounds }: Given, amounts: Amounts, refuse: Refuse): void {
  if (privacy.mechanism !== 'priv-unit') return;
  if (privacy.unit === 'record') {
    refuse(
      'privacy.mechanism',
      'must be "gaussian" with unit "record", as PrivUnit reports whole updates (nearest: unit = "client"): current value is "priv-unit"',
    );
    return;
  }
  if (settingOf({ model, rounds }, amounts) === null) {
    refuse(
      'privacy.mechanism',
      `must be "gaussian" with so little ε for each of ${rounds.count} updates (nearest: mechanism = "gaussian", or a larger privacy.epsilon): current value is "priv-unit"`,
    );
  }
}

/** Null where ε is too small for the model: such a plan is refused. */
function settingOf(given: Omit<Given, 'privacy'>, amounts: Amounts): UnitUpdates | null {
  try {
    return unitUpdatesOf(given, amounts);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
