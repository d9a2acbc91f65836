import { checkNumber } from '../check.ts';
import { pldEpsilon, pldEpsilonInterval, type EpsilonInterval, type PairSteps } from '../pld/pld-epsilon.ts';
import { subsampledGaussianPair } from '../pld/gaussian-pair.ts';
import { gaussianEpsilon } from './analytic-gaussian.ts';
import {
  MECHANISMS,
  type Adjacency,
  type Contribution,
  type MechanismId,
  type MechanismOptions,
} from './mechanisms.ts';
import { RDP_ORDERS, rdpEpsilon } from './rdp.ts';

/** A mechanism and how often it is used. Without `mechanism` it is the subsampled Gaussian. */
export type ScheduleStep =
  | { [Id in MechanismId]: { readonly mechanism: Id; readonly steps: number } & MechanismOptions[Id] }[MechanismId]
  | ({ readonly mechanism?: undefined; readonly steps: number } & MechanismOptions['gaussian']);

export type EpsilonInput = {
  readonly delta: number;
  /** 'add-or-remove-one' unless said; randomised response alone is accounted for under 'replace-one'. */
  readonly adjacency?: Adjacency;
} & ({ readonly schedule: readonly ScheduleStep[] } | ScheduleStep);

export type EpsilonReport = {
  /** min(pld, rdp). */
  readonly epsilon: number;
  readonly pld: number;
  /** Infinity where no Rényi bound is known for a mechanism of the schedule. */
  readonly rdp: number;
  readonly delta: number;
  readonly adjacency: Adjacency;
};

const ACTION = 'account for privacy';

/**
 * The ε that a schedule of mechanisms costs at δ.
 *
 * Formula:  min of the privacy loss distribution and the Rényi accountant; Gaussians without sampling are composed
 *           exactly (Balle and Wang), then join the rest.
 * Needs:    0 ≤ δ < 1, parameters fixed before the run; Poisson samples where a sample rate is below 1. A step says
 *           { noiseMultiplier, sampleRate, steps } or { mechanism, steps, … }.
 * Promises: an upper bound, within 1e-3 of the truth for subsampled Gaussians. Infinity where there is no noise.
 * Cost:     about 10 ms for one kind of step.
 */
export function epsilon(input: EpsilonInput): EpsilonReport {
  const { delta, adjacency, parts } = readInput(input);
  const report = (pld: number, rdp: number) => ({ epsilon: Math.min(pld, rdp), pld, rdp, delta, adjacency });
  if (parts.some(({ contribution }) => contribution.isUnbounded)) return report(Infinity, Infinity);
  if (chanceOfPart(parts) <= delta) return report(0, rdpOf(parts, delta));
  const pld = pldOf(parts, delta);
  return report(pld, rdpOf(parts, delta));
}

/**
 * An interval that certainly holds the ε of a schedule: see pldEpsilonInterval.
 *
 * Promises: it holds ε; its width is said there.
 */
export function epsilonInterval(input: EpsilonInput): EpsilonInterval {
  const { delta, parts } = readInput(input);
  if (parts.some(({ contribution }) => contribution.isUnbounded)) return { lower: Infinity, upper: Infinity };
  const exact = exactEpsilon(parts, delta);
  if (exact !== undefined) return { lower: exact, upper: exact };
  return pldEpsilonInterval(pairSteps(parts), { delta });
}

type Part = { readonly contribution: Contribution; readonly steps: number };

function readInput(input: EpsilonInput) {
  const delta = checkNumber(ACTION, 'delta', input.delta, 'delta');
  const schedule = 'schedule' in input ? input.schedule : [input];
  if (!Array.isArray(schedule)) {
    throw new RangeError(`Cannot ${ACTION} as schedule must be a list of steps: current value is ${String(schedule)}`);
  }
  const isLocal = schedule.length > 0 && schedule.every((step) => step.mechanism === 'randomized-response');
  const adjacency = input.adjacency ?? (isLocal ? 'replace-one' : 'add-or-remove-one');
  const counts = new Map<string, { readonly step: ScheduleStep; steps: number }>();
  for (const step of schedule) {
    const steps = checkNumber(ACTION, 'steps', step.steps, 'count');
    const key = JSON.stringify({ ...step, steps: 0 });
    const known = counts.get(key);
    if (known) known.steps += steps;
    else counts.set(key, { step, steps });
  }
  const parts = [...counts.values()].map(({ step, steps }) => ({
    steps,
    contribution: contributionOf(step, adjacency),
  }));
  return { delta, adjacency, parts: parts.filter(({ steps }) => steps > 0) };
}

function contributionOf(step: ScheduleStep, adjacency: Adjacency): Contribution {
  const id = step.mechanism ?? 'gaussian';
  if (!Object.hasOwn(MECHANISMS, id)) {
    const known = Object.keys(MECHANISMS).join(', ');
    throw new RangeError(`Cannot ${ACTION} as mechanism must be one of ${known}: current value is ${String(id)}`);
  }
  const mechanism = MECHANISMS[id];
  if (!(mechanism.adjacencies as readonly string[]).includes(adjacency)) {
    throw new RangeError(
      `Cannot ${ACTION} as adjacency of ${id} must be ${mechanism.adjacencies.join(' or ')}: current value is ${String(adjacency)}`,
    );
  }
  // The registry's type ties each id to its own options; the union of steps does the same.
  return (mechanism.contribution as (options: ScheduleStep, adjacency: Adjacency) => Contribution)(step, adjacency);
}

function pldOf(parts: readonly Part[], delta: number): number {
  const exact = exactEpsilon(parts, delta);
  if (exact !== undefined) return exact;
  const steps = pairSteps(parts);
  const lossMax = steps.reduce(
    (sum, { pair, count }) => sum + count * Math.max(pair.lossMax.remove, pair.lossMax.add),
    0,
  );
  return delta === 0 ? lossMax : Math.min(lossMax, pldEpsilon(steps, { delta }));
}

/** The chance that a record is in any sample at all. Where it is at most δ nothing else counts: neighbours differ no more. */
function chanceOfPart(parts: readonly Part[]): number {
  const logNever = parts.reduce((sum, { contribution, steps }) => {
    const { chance = 1 } = contribution;
    return sum + steps * Math.log1p(-chance);
  }, 0);
  return -Math.expm1(logNever);
}

function muSquareOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { contribution, steps }) => sum + steps * (contribution.mu ?? 0) ** 2, 0);
}

/** ε where everything is a Gaussian without sampling, or nothing is lost. */
function exactEpsilon(parts: readonly Part[], delta: number): number | undefined {
  if (parts.some(({ contribution }) => contribution.pair)) return undefined;
  const muSquare = muSquareOf(parts);
  if (muSquare === 0) return 0;
  return delta === 0 ? Infinity : gaussianEpsilon(Math.sqrt(muSquare), delta);
}

function pairSteps(parts: readonly Part[]): readonly PairSteps[] {
  const pairs = parts.flatMap(({ contribution, steps }) =>
    contribution.pair ? [{ pair: contribution.pair, count: steps }] : [],
  );
  const muSquare = muSquareOf(parts);
  return muSquare > 0 ? [...pairs, { pair: subsampledGaussianPair(1 / Math.sqrt(muSquare), 1), count: 1 }] : pairs;
}

function rdpOf(parts: readonly Part[], delta: number): number {
  if (parts.some(({ contribution }) => !contribution.rdp)) return Infinity;
  if (parts.length === 0) return 0;
  const curve = (order: number) =>
    parts.reduce((sum, { contribution, steps }) => sum + steps * contribution.rdp!(order), 0);
  if (delta === 0) return curve(RDP_ORDERS[0]!) === 0 ? 0 : Infinity;
  return rdpEpsilon(curve, delta).epsilon;
}
