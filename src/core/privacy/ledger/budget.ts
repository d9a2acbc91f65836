import { checkNumber } from '../check.ts';
import { epsilon } from '../accounting/epsilon.ts';
import { noiseMultiplier } from '../accounting/noise-multiplier.ts';
import {
  appendEvent,
  type Cancel,
  type Chain,
  type Commit,
  type Grant,
  type LedgerChain,
  type Reservation,
} from './chain.ts';
import { fitsBudget, renyiBudget, renyiCost, renyiEpsilon, type NoisySteps } from './filter.ts';
import { type Divergences, divergencesOf, odometerEpsilon } from './odometer.ts';

/** What a subject has lost for a purpose; everything is derived from the entries. */
export type Spending = {
  readonly grant: Grant;
  /** Steps that were released. */
  readonly committed: readonly NoisySteps[];
  /** Steps that are reserved and neither released nor cancelled. They count as spent. */
  readonly reserved: ReadonlyMap<string, Reservation>;
};

/** ε of a spending by both rules, and as an odometer shows it. */
export type SpentEpsilon = {
  /** By PLD: valid where noise and sampling were fixed beforehand. */
  readonly plan: number;
  /** By the filter's order: valid however the steps were chosen. */
  readonly filter: number;
  /** Valid at every moment at once, with no bound fixed beforehand: for reports (`odometerEpsilon`). */
  readonly odometer: number;
};

/** Why steps were refused, and what would not be. */
export type Refusal = {
  readonly ok: false;
  readonly reason: string;
  /** ε that would have been spent. */
  readonly pendingEpsilon: number;
  readonly spentEpsilon: number;
  readonly leftEpsilon: number;
  /** Plans that would fit: fewer steps with this noise, or these steps with more noise. */
  readonly fitting: { readonly steps: number; readonly noiseMultiplier: number | undefined };
};

export type Reserved = { readonly ok: true; readonly chain: LedgerChain };

/** Reads what a subject has spent for a purpose. Throws when it was never granted anything for it. */
export function spendingOf(chain: LedgerChain, purpose: string): Spending {
  let grant: Grant | undefined;
  const committed: NoisySteps[] = [];
  const reserved = new Map<string, Reservation>();
  for (const { event } of chain) {
    if (event.kind === 'grant' && event.purpose === purpose) grant = event;
    if (event.kind === 'reserve' && event.purpose === purpose) reserved.set(event.reservation, event);
    if (event.kind === 'cancel') reserved.delete(event.reservation);
    const done = event.kind === 'commit' ? reserved.get(event.reservation) : undefined;
    if (done) {
      committed.push(stepsOf(done));
      reserved.delete(done.reservation);
    }
  }
  if (!grant)
    throw new Error(`Cannot read a budget as its purpose must have been granted: current value is ${purpose}`);
  return { grant, committed, reserved };
}

/** ε of everything committed and reserved. */
export function spentEpsilon(spending: Spending, pending: readonly NoisySteps[] = []): SpentEpsilon {
  const { grant } = spending;
  const schedule = merged([...spending.committed, ...spending.reserved.values(), ...pending]);
  const divergence = schedule.reduce((sum, steps) => sum + renyiCost(grant.order, steps), 0);
  return {
    plan: planEpsilon(schedule, grant.delta),
    filter: divergence === 0 ? 0 : renyiEpsilon(grant.order, divergence, grant.delta),
    odometer: odometerEpsilon(lossesOf(schedule, grant.delta), grant.delta),
  };
}

/** What everything committed and reserved costs at the odometer's orders, at worst. */
export function worstDivergences(spending: Spending): Divergences {
  return lossesOf(merged([...spending.committed, ...spending.reserved.values()]), spending.grant.delta);
}

/** How many more steps of a kind the grant admits, at most `stepsMax`. */
export function admittedSteps(spending: Spending, kind: Omit<NoisySteps, 'steps'>, stepsMax = 100_000): number {
  const fits = (steps: number) => steps === 0 || isAdmitted(spending, { ...kind, steps });
  let high = 1;
  while (high <= stepsMax && fits(high)) high *= 2;
  let low = Math.floor(high / 2);
  high = Math.min(high, stepsMax + 1);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Grants a budget for a purpose. A second grant for the same purpose is refused: nothing resets a budget.
 *
 * Needs: ε > 0, 0 < δ < 1.
 */
export function grantBudget(chain: LedgerChain, grant: Omit<Grant, 'kind'>): LedgerChain {
  checkNumber('grant a budget', 'epsilon', grant.epsilon, 'positive');
  checkNumber('grant a budget', 'delta', grant.delta, 'positiveDelta');
  const isKnown = chain.some(({ event }) => event.kind === 'grant' && event.purpose === grant.purpose);
  if (isKnown) throw new Error(`Cannot grant a budget as a purpose must be granted once: ${grant.purpose} has a grant`);
  if (chain.length > 0 && chain[0]!.event.subject !== grant.subject) {
    throw new Error(`Cannot grant a budget as a chain must have one subject: current value is ${grant.subject}`);
  }
  return appendEvent(chain, { kind: 'grant', ...grant });
}

/**
 * Reserves noisy steps before any noise is drawn, or refuses and spends nothing.
 *
 * Promises: what is committed and reserved never exceeds the grant by the grant's rule, in any order of events and for any
 *           number of runs that share the chain.
 */
export function reserve(chain: LedgerChain, request: Omit<Reservation, 'kind' | 'subject'>): Reserved | Refusal {
  checkNumber('reserve', 'noiseMultiplier', request.noiseMultiplier, 'notNegative');
  checkNumber('reserve', 'sampleRate', request.sampleRate, 'rate');
  checkNumber('reserve', 'steps', request.steps, 'positiveCount');
  const isTaken = chain.some(({ event }) => event.kind === 'reserve' && event.reservation === request.reservation);
  if (isTaken) throw new Error(`Cannot reserve as a reservation must be new: ${request.reservation} exists`);
  const spending = spendingOf(chain, request.purpose);
  if (!isAdmitted(spending, request)) return refuse(spending, request);
  const { subject } = spending.grant;
  return { ok: true, chain: appendEvent(chain, { kind: 'reserve', ...request, subject }) };
}

type Settled = Commit | Cancel;
/** What settling reads of a chain's events, whatever a reservation says of its loss. */
type AnyEvent =
  | { readonly kind: 'grant'; readonly subject: string }
  | { readonly kind: 'reserve'; readonly subject: string; readonly reservation: string }
  | Settled;

/** Notes that a reservation's release is stored. Asked again with the same release it changes nothing. */
export function commit<Event extends AnyEvent>(
  chain: Chain<Event>,
  reservation: string,
  release: string,
): Chain<Event | Settled> {
  const state = stateOf(chain, reservation);
  if (state.kind === 'commit' && state.release === release) return chain;
  if (state.kind !== 'reserve') {
    throw new Error(`Cannot commit as ${reservation} must be reserved: current value is ${state.kind}`);
  }
  return appendEvent<Event | Settled>(chain, { kind: 'commit', subject: state.subject, reservation, release });
}

/** Gives a reservation back. Needs: no noise was released under it, and none will be. */
export function cancel<Event extends AnyEvent>(
  chain: Chain<Event>,
  reservation: string,
  reason: string,
): Chain<Event | Settled> {
  const state = stateOf(chain, reservation);
  if (state.kind === 'cancel') return chain;
  if (state.kind !== 'reserve') {
    throw new Error(`Cannot cancel as ${reservation} must be reserved: current value is ${state.kind}`);
  }
  return appendEvent<Event | Settled>(chain, { kind: 'cancel', subject: state.subject, reservation, reason });
}

/**
 * Settles what a crash left open: stored releases are committed, the rest is given back.
 *
 * Needs: `releaseOf` reads the durable store of releases. Store before commit, reserve before noise: then spent ≤ granted
 *        after a crash at any point.
 */
export function settle<Event extends AnyEvent>(
  chain: Chain<Event>,
  releaseOf: (reservation: string) => string | undefined,
): Chain<Event | Settled> {
  let settled: Chain<Event | Settled> = chain;
  for (const { event } of chain) {
    if (event.kind !== 'reserve' || stateOf(settled, event.reservation).kind !== 'reserve') continue;
    const release = releaseOf(event.reservation);
    settled = release
      ? commit(settled, event.reservation, release)
      : cancel(settled, event.reservation, 'no release was stored before the crash');
  }
  return settled;
}

function stateOf(chain: Chain<AnyEvent>, reservation: string) {
  const last = chain.findLast(({ event }) => 'reservation' in event && event.reservation === reservation)?.event;
  if (!last || last.kind === 'grant')
    throw new Error(`Cannot find a reservation as it must exist: current value is ${reservation}`);
  return last;
}

function isAdmitted(spending: Spending, request: NoisySteps): boolean {
  const { grant } = spending;
  if (grant.rule === 'plan') {
    const schedule = merged([...spending.committed, ...spending.reserved.values(), request]);
    return planEpsilon(schedule, grant.delta) <= grant.epsilon;
  }
  const schedule = merged([...spending.committed, ...spending.reserved.values()]);
  const spent = schedule.reduce((sum, steps) => sum + renyiCost(grant.order, steps), 0);
  const budget = renyiBudget(grant.order, grant.epsilon, grant.delta);
  return budget > 0 && fitsBudget(budget, spent, renyiCost(grant.order, request));
}

function refuse(spending: Spending, request: NoisySteps): Refusal {
  const { grant } = spending;
  const spent = spentEpsilon(spending)[grant.rule];
  const pendingEpsilon = spentEpsilon(spending, [stepsOf(request)])[grant.rule];
  return {
    ok: false,
    reason: `Cannot reserve as ε by ${grant.rule} must be at most ${grant.epsilon} at δ = ${grant.delta}: current value is ${pendingEpsilon}`,
    pendingEpsilon,
    spentEpsilon: spent,
    leftEpsilon: Math.max(0, grant.epsilon - spent),
    fitting: { steps: fittingSteps(spending, request), noiseMultiplier: fittingNoise(spending, request) },
  };
}

function fittingSteps(spending: Spending, request: NoisySteps): number {
  let low = 0;
  let high = request.steps;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isAdmitted(spending, { ...stepsOf(request), steps: middle })) low = middle;
    else high = middle;
  }
  return low;
}

/** The least noise, from the request's on, at which its steps are admitted; undefined where no noise is enough. */
export function fittingNoise(spending: Spending, request: NoisySteps): number | undefined {
  const { grant } = spending;
  const { sampleRate, steps } = request;
  if (grant.rule === 'plan') {
    const spent = merged([...spending.committed, ...spending.reserved.values()]);
    if (spentEpsilon(spending).plan >= grant.epsilon) return undefined;
    return noiseMultiplier({ epsilon: grant.epsilon, delta: grant.delta, sampleRate, steps, spent }).noiseMultiplier;
  }
  let low = request.noiseMultiplier;
  let high = Math.max(1, 2 * low);
  while (!isAdmitted(spending, { noiseMultiplier: high, sampleRate, steps })) {
    high *= 2;
    if (high > 1e6) return undefined;
  }
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2;
    if (isAdmitted(spending, { noiseMultiplier: middle, sampleRate, steps })) high = middle;
    else low = middle;
  }
  return high;
}

/** Equal steps together: what they cost depends on their number only. */
export function merged(schedule: Iterable<NoisySteps>): NoisySteps[] {
  const counts = new Map<string, NoisySteps>();
  for (const one of schedule) {
    const key = `${one.noiseMultiplier}/${one.sampleRate}`;
    const steps = (counts.get(key)?.steps ?? 0) + one.steps;
    counts.set(key, { noiseMultiplier: one.noiseMultiplier, sampleRate: one.sampleRate, steps });
  }
  return [...counts.values()];
}

/** ε of a merged schedule. */
const planEpsilon = remembering((schedule, delta) => epsilon({ schedule, delta }).epsilon);
const lossesOf = remembering((schedule) => divergencesOf(schedule));

const rememberedMax = 512;

/** The clients of a run have few different schedules: what a merged one costs is computed once for all of them. */
function remembering<T>(compute: (schedule: readonly NoisySteps[], delta: number) => T) {
  const remembered = new Map<string, T>();
  return (schedule: readonly NoisySteps[], delta: number): T => {
    const key = JSON.stringify([delta, schedule]);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const value = compute(schedule, delta);
    if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value!);
    remembered.set(key, value);
    return value;
  };
}

function stepsOf({ noiseMultiplier: noise, sampleRate, steps }: NoisySteps): NoisySteps {
  return { noiseMultiplier: noise, sampleRate, steps };
}
