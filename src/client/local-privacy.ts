import type { LocalUpdate } from '../core/learning/client/client-algorithm.ts';
import { unitUpdatesOf, updateBudget } from '../core/plan/local-privacy.ts';
import type { Plan } from '../core/plan/plan.ts';
import { localNoise, noisyUpdate } from '../core/privacy/local/noisy-update.ts';
import { unitUpdate } from '../core/privacy/local/priv-unit-update.ts';
import { questionKey, questionsIn } from '../core/plan/histograms.ts';
import { valueReport } from '../core/privacy/local/histogram.ts';
import { createIntegerSource } from '../core/privacy/mechanisms/random-integers.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Identity } from '../ports/identity.ts';
import type { Trainer } from '../ports/trainer.ts';

/** Makes an update what may leave this site under local privacy. */
export type LocalPrivacy = {
  /** Counts one more update. False where the site has sent as many as its budget allows. Asked before the training. */
  reserve(): Promise<boolean>;
  protect(delta: Float32Array): Float32Array;
  /**
   * The answers to the questions of a round, in base64. Each is drawn once and kept before it is given, so that every
   * later round, restart and retry sends the same. Undefined where the round asks nothing.
   */
  reports(round: number, trainer: Trainer): Promise<Readonly<Record<string, string>> | undefined>;
};

/**
 * Local privacy as the site itself holds it: the coordinator is trusted with nothing.
 *
 * Promises: at most as many noisy updates as the plan has rounds, over restarts too: each is counted on disk before it is
 *           drawn, so a site that is killed in between has lost one and revealed nothing.
 */
export function createLocalPrivacy(parts: {
  readonly plan: Plan;
  readonly released: number;
  readonly answers?: Readonly<Record<string, string>> | undefined;
  readonly entropy: Entropy;
  readonly save: (local: NonNullable<Identity['local']>) => Promise<void>;
}): LocalPrivacy | null {
  const { plan, entropy, save } = parts;
  const { privacy } = plan;
  if (privacy.mode !== 'local') return null;
  const { clipNorm, unit, mechanism } = privacy;
  const releases = plan.rounds.count;
  let released = parts.released;
  let answers = parts.answers ?? {};
  let noise: number | undefined;
  const keep = () => save({ released, ...(Object.keys(answers).length === 0 ? {} : { reports: answers }) });
  return {
    async reports(round, trainer) {
      const questions = questionsIn(plan, round);
      if (questions.length === 0) return undefined;
      const open = questions.filter((one) => answers[questionKey(one)] === undefined);
      for (const question of open) {
        const report = valueReport(entropy, drawExample(entropy, question, trainer), question);
        answers = { ...answers, [questionKey(question)]: report.toBase64() };
      }
      if (open.length > 0) await keep();
      return Object.fromEntries(questions.map((one) => [questionKey(one), answers[questionKey(one)]!]));
    },
    async reserve() {
      if (released >= releases) return false;
      released += 1;
      await keep();
      return true;
    },
    protect(delta) {
      // Gradients of single records were noised in training.
      if (unit === 'record') return delta;
      if (mechanism === 'priv-unit') {
        return unitUpdate(delta, { clipNorm, setting: unitUpdatesOf(plan, privacy), entropy });
      }
      noise ??= localNoise(updateBudget(privacy, plan.rounds));
      return noisyUpdate(delta, { clipNorm, noise, entropy });
    },
  };
}

/** An update as it leaves the site: how many examples it has would be another clean value. */
export function protectedUpdate(update: LocalUpdate, local: LocalPrivacy | null): LocalUpdate {
  return local === null ? update : { ...update, delta: local.protect(update.delta), claimedExamples: 1 };
}

/** The category of one of the site's examples, drawn at random; of any, where it has none that is known. */
function drawExample(
  entropy: Entropy,
  { name, of, valueCount }: { readonly name: string; readonly of: string; readonly valueCount: number },
  trainer: Trainer,
): number {
  const categories = trainer.categoriesOf?.(of);
  if (categories === undefined) {
    throw new RangeError(
      `Cannot answer for the histogram "${name}" as the trainer must know the ${of} of each example: only the built-in one does`,
    );
  }
  const known = Array.from(categories).filter((value) => value >= 0 && value < valueCount);
  const source = createIntegerSource(entropy);
  return known.length === 0 ? source.below(valueCount) : known[source.below(known.length)]!;
}
