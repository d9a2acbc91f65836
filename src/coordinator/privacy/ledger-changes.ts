import {
  cancel,
  commit,
  grantBudget,
  type Refusal,
  reserve,
  type Spending,
  spendingOf,
} from '../../core/privacy/ledger/budget.ts';
import type { Grant, LedgerChain } from '../../core/privacy/ledger/chain.ts';
import type { NoisySteps } from '../../core/privacy/ledger/filter.ts';
import type { Change } from '../../ports/store.ts';

type Ledger = ReadonlyMap<string, LedgerChain>;

/** Who may take part in a noisy round, what that adds to the ledger, and who has no budget for it. */
export type Admission = {
  readonly admitted: readonly string[];
  readonly refused: ReadonlyMap<string, Refusal>;
  readonly changes: readonly Change[];
};

/**
 * A name for the release of a round that the ledger does not know yet. A run that was restored from a backup repeats rounds
 * that a ledger of its own remembers: they are charged again, under names of their own.
 */
export function freshReservation(ledger: Ledger, runId: string, round: number): string {
  const taken = new Set(
    [...ledger.values()].flatMap((chain) =>
      chain.flatMap(({ event }) => (event.kind === 'reserve' && event.run === runId ? [event.reservation] : [])),
    ),
  );
  const name = `${runId}/${round}`;
  for (let again = 1; ; again++) {
    const candidate = again === 1 ? name : `${name}/${again}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** Asks the filter for each subject before a coin is flipped or noise drawn; those admitted are charged, in or out. */
export function admit(
  ledger: Ledger,
  subjects: readonly string[],
  terms: { readonly grant: Omit<Grant, 'kind' | 'subject'>; readonly run: string; readonly reservation: string },
  steps: NoisySteps,
): Admission {
  const admitted: string[] = [];
  const refused = new Map<string, Refusal>();
  const changes: Change[] = [];
  for (const subject of subjects) {
    const before = ledger.get(subject) ?? [];
    const granted = withGrant(before, { subject, ...terms.grant });
    const { purpose } = terms.grant;
    const answer = reserve(granted, { purpose, run: terms.run, reservation: terms.reservation, ...steps });
    if (answer.ok) {
      admitted.push(subject);
      changes.push(...changesBetween(before, answer.chain));
    } else refused.set(subject, answer);
  }
  return { admitted, refused, changes };
}

/** The chain with a grant for the purpose: the one that it has, whatever a later plan wishes. */
function withGrant(chain: LedgerChain, grant: Omit<Grant, 'kind'>): LedgerChain {
  return grantOf(chain, grant.purpose) === undefined ? grantBudget(chain, grant) : chain;
}

/** What a subject was granted for a purpose. */
export function grantOf(chain: LedgerChain, purpose: string): Grant | undefined {
  const found = chain.find(({ event }) => event.kind === 'grant' && event.purpose === purpose);
  return found?.event as Grant | undefined;
}

/** What a subject has spent; undefined before it was granted anything. */
export function spendingFor(ledger: Ledger, subject: string, purpose: string): Spending | undefined {
  const chain = ledger.get(subject) ?? [];
  return grantOf(chain, purpose) === undefined ? undefined : spendingOf(chain, purpose);
}

/** Commits a reservation of every subject that has it open, with the hash of what was released. */
export function commitChanges(ledger: Ledger, reservation: string, release: string): readonly Change[] {
  return eachOpen(ledger, reservation, (chain) => commit(chain, reservation, release));
}

/** Everybody who has a reservation open. */
export function chargedFor(ledger: Ledger, reservation: string): readonly string[] {
  return [...ledger].flatMap(([subject, chain]) => (isOpen(chain, reservation) ? [subject] : [])).sort();
}

/** Gives a reservation back to every subject that has it open. Needs: nothing was released under it. */
export function cancelChanges(ledger: Ledger, reservation: string, reason: string): readonly Change[] {
  return eachOpen(ledger, reservation, (chain) => cancel(chain, reservation, reason));
}

/**
 * Gives back what a crash left reserved in a ledger of its own, where the round never opened: the reservation was on disk
 * and the round was not. The reservation of an open round, `kept`, stays.
 */
export function settleChanges(ledger: Ledger, runId: string, kept: string | undefined): readonly Change[] {
  return [...ledger.keys()].sort().flatMap((subject) => {
    const before = ledger.get(subject)!;
    const purposes = before.flatMap(({ event }) => (event.kind === 'grant' ? [event.purpose] : []));
    const open = purposes
      .flatMap((purpose) => [...spendingOf(before, purpose).reserved.values()])
      .filter(({ run, reservation }) => run === runId && reservation !== kept);
    const why = 'the round never opened';
    return changesBetween(
      before,
      open.reduce((chain, { reservation }) => cancel(chain, reservation, why), before),
    );
  });
}

function eachOpen(ledger: Ledger, reservation: string, next: (chain: LedgerChain) => LedgerChain): readonly Change[] {
  return [...ledger.keys()].sort().flatMap((subject) => {
    const chain = ledger.get(subject)!;
    return isOpen(chain, reservation) ? changesBetween(chain, next(chain)) : [];
  });
}

function isOpen(chain: LedgerChain, reservation: string): boolean {
  const last = chain.findLast(({ event }) => 'reservation' in event && event.reservation === reservation);
  return last?.event.kind === 'reserve';
}

function changesBetween(before: LedgerChain, after: LedgerChain): Change[] {
  return after.slice(before.length).map((entry) => ({ kind: 'ledger', entry }));
}
