/**
 * QFLARE's entry point for researchers: whole federations in one process, as a function of one seed.
 *
 *     const { rounds } = await simulate({ model: { kind: 'softmax-regression', inputs: 8, classes: 3 }, attackers: 2 });
 */
import { type PlanInput, parsePlan } from '../core/plan/plan.ts';
import type { RoundRecord } from '../core/round/record.ts';
import { simulatePlan, type Simulation } from '../simulation/index.ts';
import type { WorldResult } from '../simulation/index.ts';

export type { CellOutcome, CellRecord, LabRecord } from '../core/report/lab/record.ts';
export { groupsOf, gridsOf } from '../core/report/lab/summary.ts';
/** Attacks by id, and those with a strength or a direction to choose: `attacks['sign-flip']({ own, round, seed })`. */
export { attacks } from '../core/attacks/index.ts';
export type { Attack, AttackInput } from '../core/attacks/attack.ts';
export { alie } from '../core/attacks/alie.ts';
export { ipm } from '../core/attacks/ipm.ts';
export { mimic } from '../core/attacks/mimic.ts';
export { minMax } from '../core/attacks/min-max.ts';
export { minSum } from '../core/attacks/min-sum.ts';
export { ownShift } from '../core/attacks/own-shift.ts';
export { livePoisons, poisons } from '../core/attacks/poison/index.ts';
export type { PlanInput } from '../core/plan/plan.ts';
export { type Hostility, hostilities, leftOutByFastPath, type Partition, type Pool } from '../simulation/index.ts';
export { readMnist } from '../simulation/demo/sites.ts';
export type { LabInput } from './lab-file.ts';
export { type LabProgress, type MatrixOptions, runMatrix, runMatrix as lab, runOneCell } from './run-matrix.ts';

/** What to try. Everything has a default but the model. */
export type Experiment = {
  readonly model: PlanInput['model'];
  readonly rounds?: number;
  readonly clients?: number;
  /** Pre-aggregators, if any, and one aggregator: `[{ rule: 'nnm', f: 2 }, { rule: 'median' }]`. */
  readonly pipeline?: NonNullable<PlanInput['aggregation']>['pipeline'];
  readonly training?: PlanInput['training'];
  /** The rest of a plan, where the fields above do not reach. */
  readonly plan?: Omit<PlanInput, 'model' | 'training'>;
  readonly seed?: number;
} & Pick<
  Simulation,
  'data' | 'partition' | 'attackers' | 'attack' | 'faults' | 'path' | 'crypto' | 'threads' | 'trainerOf' | 'onRound'
>;

/** One line of the table. */
export type Row = {
  readonly round: number;
  readonly status: RoundRecord['status'];
  readonly accuracy: number | null;
  readonly loss: number | null;
  readonly clientAccuracy: number | null;
  readonly worstClient: number | null;
  readonly accepted: number;
  readonly refused: number;
  readonly flagged: readonly string[];
};

/** Runs an experiment and gives a table of rounds. The fast path unless `path` or `faults` say otherwise. */
export async function simulate(
  experiment: Experiment,
): Promise<{ readonly rounds: readonly Row[]; readonly result: WorldResult }> {
  const { model, rounds, clients, pipeline, training, seed = 1, plan: rest = {}, ...simulation } = experiment;
  const plan = parsePlan({
    ...rest,
    model,
    seed,
    ...(training === undefined ? {} : { training }),
    rounds: { count: 10, ...rest.rounds, ...(rounds === undefined ? {} : { count: rounds }) },
    cohort: { ...rest.cohort, ...(clients === undefined ? {} : { expected: clients }) },
    aggregation: { ...rest.aggregation, ...(pipeline === undefined ? {} : { pipeline }) },
  });
  const path = experiment.path ?? (experiment.faults === undefined && experiment.crypto !== 'real' ? 'fast' : 'whole');
  const result = await simulatePlan({ ...simulation, plan, seed, path });
  return { rounds: result.rounds.map(rowOf), result };
}

function rowOf(record: RoundRecord): Row {
  return {
    round: record.round,
    status: record.status,
    accuracy: record.accuracy,
    loss: record.loss,
    clientAccuracy: record.clients?.accuracy ?? null,
    worstClient: record.clients?.worst.accuracy ?? null,
    accepted: record.accepted.length,
    refused: record.refused.length,
    flagged: record.flagged,
  };
}
