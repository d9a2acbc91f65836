import { checkNumber } from '../check.ts';
import { epsilon as epsilonOf } from '../accounting/epsilon.ts';
import { commit, settle } from '../ledger/budget.ts';
import { appendEvent, type Cancel, type Chain, type Commit, firstBrokenEntry } from '../ledger/chain.ts';
import { fitsBudget, type NoisySteps } from '../ledger/filter.ts';
import type { LedgerHead } from '../ledger/heads.ts';
import { responseOf } from './priv-unit-update.ts';

/** What a site gives away: its updates, and its answers to questions. Each has a grant of its own. */
export type SitePurpose = 'updates' | 'reports';

/** What a site, or each of its records, may lose for a purpose, by the plan of its run. */
export type SiteGrant = {
  readonly kind: 'grant';
  readonly subject: string;
  readonly run: string;
  readonly purpose: SitePurpose;
  readonly unit: 'client' | 'record';
  readonly epsilon: number;
  readonly delta: number;
};

/** What one release loses: Gaussian steps (σ ÷ sensitivity), or a pure ε. */
export type SiteLoss = NoisySteps | { readonly epsilon: number };

/** A release that is about to be drawn. It counts as spent from here on. */
type SiteReservation = {
  readonly kind: 'reserve';
  readonly subject: string;
  readonly run: string;
  readonly purpose: SitePurpose;
  readonly reservation: string;
  readonly round: number;
  readonly mechanism: string;
} & SiteLoss;

export type SiteEvent = SiteGrant | SiteReservation | Commit | Cancel;

/** Everything that a site has granted, drawn and released in a run, oldest first. */
export type SiteLedger = Chain<SiteEvent>;

export type SiteRequest = Omit<SiteReservation, 'kind' | 'subject' | 'run' | 'noiseMultiplier'> & SiteLoss;

/** What a site has spent of a grant. */
export type SiteSpending = {
  readonly grant: SiteGrant;
  /** ε of everything that is committed and reserved. */
  readonly epsilon: number;
  readonly committed: number;
  readonly reserved: number;
};

/** The ledger with a grant for each purpose. A grant that is there stays as it is: nothing resets a budget. */
export function grantAtSite(ledger: SiteLedger, grants: readonly Omit<SiteGrant, 'kind'>[]): SiteLedger {
  return grants.reduce((chain, grant) => {
    checkNumber('grant a budget', 'epsilon', grant.epsilon, 'positive');
    if (grantOf(chain, grant.purpose) !== undefined) return chain;
    return appendEvent<SiteEvent>(chain, { kind: 'grant', ...grant });
  }, ledger);
}

/**
 * Reserves a release before anything is drawn, or says why not and spends nothing.
 *
 * Promises: the ε of what is committed and reserved for a purpose never exceeds its grant.
 */
export function reserveAtSite(
  ledger: SiteLedger,
  request: SiteRequest,
): { readonly ok: true; readonly ledger: SiteLedger } | { readonly ok: false; readonly reason: string } {
  const { purpose, reservation } = request;
  const { grant, losses } = readSpending(ledger, purpose);
  if (ledger.some(({ event }) => event.kind === 'reserve' && event.reservation === reservation)) {
    throw new Error(`Cannot reserve as a reservation must be new: ${reservation} exists`);
  }
  const pending = epsilonOfLosses([...losses, request], grant.delta);
  if (!fitsBudget(grant.epsilon, 0, pending)) {
    const spent = epsilonOfLosses(losses, grant.delta);
    const left = Math.max(0, grant.epsilon - spent);
    return {
      ok: false,
      reason: `Cannot release ${reservation} as ε of ${purpose} must be at most ${grant.epsilon} at δ = ${grant.delta}: with it ${pending}, and ${left} is left`,
    };
  }
  const { subject, run } = grant;
  return { ok: true, ledger: appendEvent<SiteEvent>(ledger, { kind: 'reserve', ...request, subject, run }) };
}

/** Notes the hash of what a reservation released. Needs: kept on disk before it leaves the site. */
export function commitAtSite(ledger: SiteLedger, reservation: string, release: string): SiteLedger {
  return commit<SiteEvent>(ledger, reservation, release);
}

/**
 * Settles what was reserved and never finished: what was kept is committed, the rest is given back.
 *
 * Needs: nothing leaves a site before its commit is on disk.
 */
export function settleAtSite(ledger: SiteLedger, releaseOf: (reservation: string) => string | undefined): SiteLedger {
  return settle<SiteEvent>(ledger, releaseOf);
}

/** What a site has spent for each purpose that was granted. */
export function siteSpending(ledger: SiteLedger): readonly SiteSpending[] {
  const grants = ledger.flatMap(({ event }) => (event.kind === 'grant' ? [event] : []));
  return grants.map((grant) => {
    const { losses, committed } = readSpending(ledger, grant.purpose);
    const epsilon = epsilonOfLosses(losses, grant.delta);
    return { grant, epsilon, committed, reserved: losses.length - committed };
  });
}

/** What is wrong with a ledger that was read: undefined where each entry follows and the one noted elsewhere is there. */
export function siteLedgerProblem(ledger: SiteLedger, head?: LedgerHead): string | undefined {
  const broken = firstBrokenEntry(ledger);
  if (broken !== undefined) {
    return `the privacy ledger of this site must be as it was written: entry ${broken} does not follow from the one before`;
  }
  if (head !== undefined && ledger[head.entries - 1]?.hash !== head.hash) {
    return `the privacy ledger of this site must hold what it held: entry ${head.entries - 1} is not there, of ${ledger.length} entries`;
  }
  return undefined;
}

/** How many releases of a purpose are committed or reserved. */
export function releasesOf(ledger: SiteLedger, purpose: SitePurpose): number {
  return grantOf(ledger, purpose) === undefined ? 0 : readSpending(ledger, purpose).losses.length;
}

function grantOf(ledger: SiteLedger, purpose: SitePurpose): SiteGrant | undefined {
  const found = ledger.find(({ event }) => event.kind === 'grant' && event.purpose === purpose);
  return found?.event as SiteGrant | undefined;
}

function readSpending(ledger: SiteLedger, purpose: SitePurpose) {
  const grant = grantOf(ledger, purpose);
  if (grant === undefined) throw new Error(`Cannot read a budget as its purpose must have been granted: ${purpose}`);
  const losses = new Map<string, SiteLoss>();
  let committed = 0;
  for (const { event } of ledger) {
    if (event.kind === 'reserve' && event.purpose === purpose) losses.set(event.reservation, event);
    if (event.kind === 'cancel') losses.delete(event.reservation);
    if (event.kind === 'commit' && losses.has(event.reservation)) committed += 1;
  }
  return { grant, losses: [...losses.values()], committed };
}

/**
 * ε of releases at δ.
 *
 * Formula: Gaussian steps by `epsilon()` at δ; pure losses by the smaller of their sum and, where there are no others, the
 *          PLD of as many randomised responses; both kinds add up (basic composition).
 */
function epsilonOfLosses(losses: readonly SiteLoss[], delta: number): number {
  const steps = losses.flatMap((loss) => ('steps' in loss ? [loss] : []));
  const pure = losses.flatMap((loss) => ('epsilon' in loss ? [loss.epsilon] : []));
  const schedule = countsOf(steps.map(({ noiseMultiplier, sampleRate, steps: n }) => [noiseMultiplier, sampleRate, n]));
  const noisy = remembered(
    [...schedule].map(([[noiseMultiplier, sampleRate, n], count]) => {
      return { noiseMultiplier: noiseMultiplier!, sampleRate: sampleRate!, steps: n! * count };
    }),
    delta,
  );
  const shares = countsOf(pure.map((one) => [one]));
  const sum = [...shares].reduce((total, [[each], count]) => total + each! * count, 0);
  if (delta === 0 || steps.length > 0 || pure.length < 2) return noisy + sum;
  const composed = remembered(
    [...shares].map(([[each], count]) => ({ ...responseOf(each!), steps: count })),
    delta,
  );
  return Math.min(sum, composed);
}

function countsOf(rows: readonly (readonly number[])[]): readonly (readonly [readonly number[], number])[] {
  const counts = new Map<string, [readonly number[], number]>();
  for (const row of rows) {
    const known = counts.get(row.join('/'));
    if (known === undefined) counts.set(row.join('/'), [row, 1]);
    else known[1] += 1;
  }
  return [...counts.values()];
}

type Schedule = Extract<Parameters<typeof epsilonOf>[0], { schedule: unknown }>['schedule'];

const rememberedMax = 64;
const known = new Map<string, number>();

/** Simulated sites of one plan have few schedules between them. */
function remembered(schedule: Schedule, delta: number): number {
  if (schedule.length === 0) return 0;
  const key = JSON.stringify([delta, schedule]);
  const found = known.get(key);
  if (found !== undefined) return found;
  const { epsilon } = epsilonOf({ schedule, delta });
  if (known.size >= rememberedMax) known.delete(known.keys().next().value!);
  known.set(key, epsilon);
  return epsilon;
}
