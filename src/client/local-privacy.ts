import type { LocalUpdate } from '../core/learning/client/client-algorithm.ts';
import { unitUpdatesOf, updateBudget } from '../core/plan/local-privacy.ts';
import type { Plan } from '../core/plan/plan.ts';
import { localNoise, noisyUpdate } from '../core/privacy/local/noisy-update.ts';
import { unitUpdate } from '../core/privacy/local/priv-unit-update.ts';
import { questionKey, questionsIn } from '../core/plan/histograms.ts';
import { valueReport } from '../core/privacy/local/histogram.ts';
import { createIntegerSource } from '../core/privacy/mechanisms/random-integers.ts';
import type { LedgerHead } from '../core/privacy/ledger/heads.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Identity } from '../ports/identity.ts';
import type { SiteLedgerStore } from '../ports/site-ledger.ts';
import type { Trainer } from '../ports/trainer.ts';
import { createSiteBook } from './site-book.ts';

/** Makes an update what may leave this site under local privacy. */
export type LocalPrivacy = {
  /** Reads the site's ledger. Errors: RefusedError where it is not what this site has written. */
  open(): Promise<void>;
  /** Charges one more update before the training, or says why the budget does not allow it. */
  reserve(round: number, trainer: Trainer): Promise<{ readonly ok: true } | { readonly ok: false; reason: string }>;
  protect(delta: Float32Array): Float32Array;
  /**
   * The answers to the questions of a round, in base64. Each is charged and drawn once and kept before it is given, so that
   * every later round, restart and retry sends the same. Undefined where the round asks nothing.
   */
  reports(round: number, trainer: Trainer): Promise<Readonly<Record<string, string>> | undefined>;
  /** Notes what the reserved update has become. Needs: asked before it leaves the site. */
  commit(released: Uint8Array): Promise<void>;
};

/**
 * Local privacy as the site itself holds it: the coordinator is trusted with nothing.
 *
 * Promises: at most as many noisy updates as the plan has rounds, and at most its ε, over restarts too: each is charged to a
 *           ledger on disk before it is drawn, and committed before it leaves. A site that is killed in between has
 *           revealed nothing, and is given the charge back.
 */
export function createLocalPrivacy(parts: {
  readonly plan: Plan;
  readonly released: number;
  readonly answers?: Readonly<Record<string, string>> | undefined;
  /** Where the ledger stood when it was noted last. */
  readonly head?: LedgerHead | undefined;
  /** In memory unless given: for simulated sites. */
  readonly ledger?: SiteLedgerStore | undefined;
  readonly owner?: { readonly subject: string; readonly run: string };
  readonly entropy: Entropy;
  readonly save: (local: NonNullable<Identity['local']>) => Promise<void>;
}): LocalPrivacy | null {
  const { plan, entropy, save } = parts;
  const { privacy } = plan;
  if (privacy.mode !== 'local') return null;
  const { clipNorm, unit, mechanism } = privacy;
  const book = createSiteBook({ ...parts, privacy });
  const releases = plan.rounds.count;
  let answers = parts.answers ?? {};
  let noise: number | undefined;
  const keep = () => {
    const head = book.head();
    return save({
      released: book.updates(),
      ...(Object.keys(answers).length === 0 ? {} : { reports: answers }),
      ...(parts.ledger === undefined || head === undefined ? {} : { ledger: head }),
    });
  };
  return {
    open: book.open,
    async reports(round, trainer) {
      const questions = questionsIn(plan, round);
      if (questions.length === 0) return undefined;
      await book.open();
      const open = questions.filter((one) => answers[questionKey(one)] === undefined);
      for (const question of open) {
        const example = drawExample(entropy, question, trainer);
        await book.reserveReport(question, round);
        answers = { ...answers, [questionKey(question)]: valueReport(entropy, example, question).toBase64() };
      }
      if (open.length > 0) await keep();
      for (const question of open) await book.commitReport(question, answers[questionKey(question)]!);
      return Object.fromEntries(questions.map((one) => [questionKey(one), answers[questionKey(one)]!]));
    },
    async reserve(round, trainer) {
      await book.open();
      await book.settle(answers);
      if (book.updates() >= releases) {
        return { ok: false, reason: `this site has made ${releases} noisy updates, as many as the plan allows` };
      }
      const reserved = await book.reserveUpdate(round, trainer);
      if (reserved.ok) await keep();
      return reserved;
    },
    commit: (released) => book.commitUpdate(released),
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
