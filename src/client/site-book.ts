import { sha256 } from '@noble/hashes/sha2.js';
import { allQuestions, histogramEpsilon, type Question, questionKey } from '../core/plan/histograms.ts';
import { unitUpdatesOf, updateBudget } from '../core/plan/local-privacy.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { LocalPrivacy } from '../core/plan/privacy.ts';
import type { LedgerHead } from '../core/privacy/ledger/heads.ts';
import { localNoise } from '../core/privacy/local/noisy-update.ts';
import {
  commitAtSite,
  grantAtSite,
  releasesOf,
  reserveAtSite,
  settleAtSite,
  siteLedgerProblem,
  type SiteLedger,
  type SiteLoss,
  type SiteRequest,
} from '../core/privacy/local/site-ledger.ts';
import type { SiteLedgerStore } from '../ports/site-ledger.ts';
import type { Trainer } from '../ports/trainer.ts';
import { RefusedError } from './ends.ts';

/**
 * A site's privacy ledger as it is kept: what is charged, and what it became.
 *
 * Needs: one contribution after the other; `settle` before each.
 */
export function createSiteBook(parts: {
  readonly plan: Plan;
  readonly privacy: LocalPrivacy;
  /** Updates and answers that this site remembers beside the ledger: of a start without one they are charged anew. */
  readonly released: number;
  readonly answers?: Readonly<Record<string, string>> | undefined;
  readonly head?: LedgerHead | undefined;
  readonly ledger?: SiteLedgerStore | undefined;
  readonly owner?: { readonly subject: string; readonly run: string } | undefined;
}) {
  const { plan, privacy, owner = { subject: 'site', run: 'run' } } = parts;
  let ledger: SiteLedger = [];
  let opened: Promise<void> | undefined;
  /** Updates of before there was a ledger: what each lost is known with the trainer. */
  let uncharged = 0;

  async function keep(next: SiteLedger): Promise<void> {
    const added = next.slice(ledger.length);
    if (added.length > 0) await parts.ledger?.append(added);
    ledger = next;
  }

  async function read(): Promise<void> {
    const stored = (await parts.ledger?.load()) ?? [];
    const problem = siteLedgerProblem(stored, parts.head);
    if (problem !== undefined) throw new RefusedError(`Cannot take part as ${problem}`);
    ledger = stored;
    const budget = updateBudget(privacy, plan.rounds);
    const ofReports = histogramEpsilon(privacy);
    await keep(
      grantAtSite(ledger, [
        { ...owner, purpose: 'updates', unit: privacy.unit, epsilon: budget.epsilon, delta: budget.delta },
        ...(ofReports > 0
          ? [{ ...owner, purpose: 'reports', unit: privacy.unit, epsilon: ofReports, delta: 0 } as const]
          : []),
      ]),
    );
    uncharged = parts.head === undefined ? Math.max(0, parts.released - releasesOf(ledger, 'updates')) : 0;
    for (const question of allQuestions(plan)) {
      const answer = parts.answers?.[questionKey(question)];
      if (answer === undefined || parts.head !== undefined || draws(question).length > 0) continue;
      await charge(reportRequest(question, question.from));
      await commit(draws(question).at(-1)!, Uint8Array.fromBase64(answer));
    }
  }

  async function charge(request: SiteRequest) {
    const answer = reserveAtSite(ledger, request);
    if (answer.ok) await keep(answer.ledger);
    return answer;
  }

  const commit = (reservation: string, released: Uint8Array) =>
    keep(commitAtSite(ledger, reservation, sha256(released).toHex()));

  function updateRequest(round: number, loss: SiteLoss): SiteRequest {
    const count = ledger.filter(({ event }) => event.kind === 'reserve' && event.purpose === 'updates').length;
    const mechanism = privacy.unit === 'record' ? 'dp-sgd' : privacy.mechanism;
    return { purpose: 'updates', reservation: `update/${count + 1}`, round, mechanism, ...loss };
  }

  function lossOfUpdate(trainer: Trainer): SiteLoss {
    if (privacy.unit === 'record') {
      const steps = trainer.recordSteps?.();
      if (steps === undefined) throw new Error('Cannot charge an update as its trainer must noise the gradients');
      return steps;
    }
    if (privacy.mechanism === 'priv-unit') return { epsilon: unitUpdatesOf(plan, privacy).epsilon };
    // The noise is said in clip norms, and another update moves this one by up to two.
    return { noiseMultiplier: localNoise(updateBudget(privacy, plan.rounds)) / 2, sampleRate: 1, steps: 1 };
  }

  return {
    open: () => (opened ??= read()),
    /** Updates that are charged. */
    updates: () => releasesOf(ledger, 'updates') + uncharged,
    head: (): LedgerHead | undefined =>
      ledger.length === 0 ? undefined : { entries: ledger.length, hash: ledger.at(-1)!.hash },
    /** What was reserved before and never left this site is given back; an answer that was kept stands. */
    async settle(answers: Readonly<Record<string, string>>): Promise<void> {
      const kept = new Map(
        allQuestions(plan).flatMap((one) => {
          const answer = answers[questionKey(one)];
          if (answer === undefined) return [];
          const hash = sha256(Uint8Array.fromBase64(answer)).toHex();
          return draws(one).map((reservation) => [reservation, hash] as const);
        }),
      );
      await keep(settleAtSite(ledger, (reservation) => kept.get(reservation)));
    },
    async reserveUpdate(round: number, trainer: Trainer) {
      const loss = lossOfUpdate(trainer);
      for (; uncharged > 0; uncharged--) {
        const before = await charge(updateRequest(0, loss));
        if (!before.ok) return before;
        await commit(openUpdate()!, new Uint8Array());
      }
      return charge(updateRequest(round, loss));
    },
    async commitUpdate(released: Uint8Array): Promise<void> {
      const open = openUpdate();
      if (open !== undefined) await commit(open, released);
    },
    async reserveReport(question: Question, round: number): Promise<void> {
      const answer = await charge(reportRequest(question, round));
      if (!answer.ok) throw new RefusedError(answer.reason);
    },
    commitReport: (question: Question, answer: string) =>
      commit(draws(question).at(-1)!, Uint8Array.fromBase64(answer)),
  };

  /** A site that was killed while it drew an answer draws another: that charge was given back. */
  function draws(question: Question): readonly string[] {
    const name = `report/${questionKey(question)}`;
    return ledger.flatMap(({ event }) =>
      event.kind === 'reserve' && event.reservation.split('#')[0] === name ? [event.reservation] : [],
    );
  }

  function reportRequest(question: Question, round: number): SiteRequest {
    const { mechanism, epsilon } = question;
    const reservation = `report/${questionKey(question)}#${draws(question).length + 1}`;
    return { purpose: 'reports', reservation, round, mechanism, epsilon };
  }

  function openUpdate(): string | undefined {
    const last = ledger.findLast(({ event }) => 'reservation' in event && event.reservation.startsWith('update/'));
    return last?.event.kind === 'reserve' ? last.event.reservation : undefined;
  }
}
