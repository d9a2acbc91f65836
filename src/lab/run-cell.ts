import { parsePlan } from '../core/plan/plan.ts';
import type { CellOutcome } from '../core/report/lab/record.ts';
import type { RoundRecord } from '../core/round/record.ts';
import { type Hostility, type Pool, simulateBare, simulatePlan } from '../simulation/index.ts';
import { attackSuccess } from './attack-success.ts';
import type { CellDefinition } from './cells.ts';

/** Runs one cell. A function of its definition and the data that it names. */
export async function runCell(definition: CellDefinition, pool: Pool | undefined): Promise<CellOutcome> {
  return definition.path === 'bare' ? runBareCell(definition, pool) : runWorldCell(definition, pool);
}

function simulationOf(definition: CellDefinition, pool: Pool | undefined) {
  const { plan: input, partition, attackers, attack, attackerData, workerMomentum } = definition;
  const plan = parsePlan(input);
  return {
    plan,
    seed: plan.seed,
    data: pool,
    partition,
    // An attacker that does nothing is honest; where its data differ from the others', they still do.
    ...(attack === 'none' ? { attackers: 0 } : { attackers, attack: [attack] as readonly Hostility[] }),
    attackerData,
    workerMomentum: workerMomentum ?? undefined,
  };
}

async function runBareCell(definition: CellDefinition, pool: Pool | undefined): Promise<CellOutcome> {
  const simulation = simulationOf(definition, pool);
  const isMeasured = (round: number) => round % definition.measureEvery === 0;
  const { measured, diverged, modelHash, parameters } = await simulateBare({ ...simulation, isMeasured });
  const last = measured.at(-1);
  return {
    status: diverged === null ? 'completed' : 'diverged',
    reason: diverged,
    accuracy: last?.accuracy ?? null,
    loss: last?.loss ?? null,
    best: bestOf(measured.map(({ accuracy }) => accuracy)),
    curve: measured.map(({ round, accuracy }) => [round, accuracy] as const),
    attackSuccess: pool === undefined ? null : await attackSuccess(definition, parameters, pool.test),
    detection: null,
    modelHash,
  };
}

async function runWorldCell(definition: CellDefinition, pool: Pool | undefined): Promise<CellOutcome> {
  const path = definition.path === 'whole' ? 'whole' : 'fast';
  const world = await simulatePlan({ ...simulationOf(definition, pool), path, faults: 'none' });
  const done = world.rounds.filter(({ status }) => status === 'completed');
  const curve = done.flatMap(({ round, accuracy }) => (accuracy === null ? [] : [[round, accuracy] as const]));
  const isDone = world.status === 'completed';
  return {
    status: isDone ? 'completed' : 'diverged',
    reason: isDone ? null : (world.reason ?? world.status),
    accuracy: done.at(-1)?.accuracy ?? null,
    loss: done.at(-1)?.loss ?? null,
    best: bestOf(curve.map(([, accuracy]) => accuracy)),
    curve,
    attackSuccess: null,
    detection: detectionOf(done, new Set(world.attackers.map(({ clientId }) => clientId))),
    modelHash: world.modelHash,
  };
}

/** Flagged shares over the rounds in which an update of the client was looked at. */
function detectionOf(rounds: readonly RoundRecord[], attackers: ReadonlySet<string>): CellOutcome['detection'] {
  const judged = rounds.flatMap(({ verdicts }) => verdicts);
  const share = (isAttacker: boolean) => {
    const looked = judged.filter(({ clientId }) => attackers.has(clientId) === isAttacker);
    return looked.length === 0 ? null : looked.filter(({ isFlagged }) => isFlagged).length / looked.length;
  };
  return { attackers: share(true), honest: share(false) };
}

function bestOf(accuracies: readonly number[]): number | null {
  return accuracies.length === 0 ? null : Math.max(...accuracies);
}
