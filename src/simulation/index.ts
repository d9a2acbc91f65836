import { didYouMean } from '../core/aggregation/nearest-word.ts';
import type { Dataset } from '../core/data/dataset.ts';
import type { Plan } from '../core/plan/plan.ts';
import { traitsOf } from '../core/learning/client/index.ts';
import { createRng } from '../core/random/rng.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { JournalEntry } from '../ports/store.ts';
import { trainingEngine } from '../node/training-engine.ts';
import type { Trainer } from '../ports/trainer.ts';
import { isLivePoison, type LivePoisonId, createLivePoisonTrainer, siteTrainer } from './live-poison-trainer.ts';
import { createMomentumTrainer } from './momentum-trainer.ts';
import { simulatedRecordTrainer } from './record-trainer.ts';
import { isPoison, type PoisonId, poisonDataset } from './poisoned-data.ts';
import { createTrainerPool } from './trainer-pool.ts';
import { type BareResult, runBareWorld } from './world/bare-world.ts';
import type { Sites } from './world/cast.ts';
import { runDirectWorld } from './world/direct-world.ts';
import { drawFaults, type Faults, noFaults } from './world/faults.ts';
import { chooseHostile, type Hostility, hostilities } from './world/scenario.ts';
import { dealAround, dealDatasets, dealSamples, type Partition, type Pool, syntheticBlobs } from './world/sites.ts';
import { wireAttacks } from './world/wire-attacks.ts';
import { runWorld } from './world/world.ts';
import type { WorldResult } from './world/world-result.ts';

export { type BareResult, leftOutByBarePath } from './world/bare-world.ts';
export { leftOutByFastPath } from './world/direct-world.ts';
export { runSeed } from './world/run-seed.ts';
export { drawScenario, type Hostility, hostilities } from './world/scenario.ts';
export type { Partition, Pool } from './world/sites.ts';
export type { WorldResult } from './world/world-result.ts';

/** A simulated run of a plan. */
export type Simulation = {
  readonly plan: Plan;
  readonly seed: number;
  /** Synthetic samples of the model's shape unless given. */
  readonly data?: Pool | undefined;
  /** How the samples are dealt; the plan's `data.alpha` unless given. */
  readonly partition?: Partition | undefined;
  /** Who lies: how many of the clients, and how, in turn. */
  readonly attackers?: number;
  readonly attack?: readonly Hostility[];
  /** What attackers hold: a share like any other's, or an even one at random beside the honest clients' partition. */
  readonly attackerData?: 'partition' | 'iid' | undefined;
  /** β: clients send a moving average of mini-batch steps, as `createMomentumTrainer` has it. */
  readonly workerMomentum?: number | undefined;
  /** `drawn`: what goes wrong is drawn from the seed. `none`: nothing does. Or exactly these. */
  readonly faults?: 'drawn' | 'none' | Faults;
  /** `whole`: real agents over a simulated network, invariants watched. `fast`: see `leftOutByFastPath`. */
  readonly path?: 'whole' | 'fast';
  readonly crypto?: 'simulated' | 'real' | undefined;
  /** Threads that train; 0 trains on this one. */
  readonly threads?: number;
  /** In place of the built-in trainer, by the number of the client. */
  readonly trainerOf?: ((index: number) => Trainer) | undefined;
  readonly onRound?: ((record: RoundRecord) => void) | undefined;
  /** Entries of the journal as they are written; the fast path only. */
  readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
};

const samplesPerClient = 200;

/** Runs a plan in a simulated world. Everything is a function of plan, data and seed; threads and load change nothing. */
export async function simulatePlan(simulation: Simulation): Promise<WorldResult> {
  const { plan, seed, path = 'whole', faults = 'none', onRound } = simulation;
  const hostile = hostileOf(simulation, path);
  const rng = createRng(seed).child('simulation');
  const { sites, close } = sitesOf(simulation, hostile);
  try {
    if (path === 'fast') {
      return await runDirectWorld({
        scenario: { seed, plan, attackers: hostile },
        sites,
        onRound,
        onEntry: simulation.onEntry,
      });
    }
    const scenario = {
      seed,
      plan,
      attackers: hostile,
      faults: faults === 'drawn' ? drawFaults(rng.child('faults')) : faults === 'none' ? noFaults : faults,
      operator: { stopAtMs: null, replaceAtMs: null },
    };
    return await runWorld({ scenario, sites, crypto: simulation.crypto, onRound });
  } finally {
    await close();
  }
}

/** Runs a plan as arithmetic alone, for large matrices: see `leftOutByBarePath`. */
export async function simulateBare(
  simulation: Omit<Simulation, 'path' | 'faults' | 'crypto' | 'onRound' | 'threads'> & {
    readonly isMeasured: (round: number) => boolean;
  },
): Promise<BareResult> {
  const { plan, seed, isMeasured } = simulation;
  const hostile = hostileOf(simulation, 'bare');
  const { sites, close } = sitesOf(simulation, hostile);
  try {
    return await runBareWorld({ scenario: { seed, plan, attackers: hostile }, sites, isMeasured });
  } finally {
    await close();
  }
}

function hostileOf(
  { plan, seed, attackers = 0, attack = ['sign-flip'] }: Pick<Simulation, 'plan' | 'seed' | 'attackers' | 'attack'>,
  path: 'whole' | 'fast' | 'bare',
): ReadonlyMap<number, Hostility> {
  checkAttack(attack, path);
  if (attackers > 0 && traitsOf(plan.learning.client).isSummed) {
    throw new RangeError(
      `Cannot attack as the plan's clients must send deltas, which the attacks change, and with ${plan.learning.client.algorithm} they send sums (nearest: 0 attackers): current value is ${attackers}`,
    );
  }
  const rng = createRng(seed).child('simulation').child('attackers');
  return chooseHostile(plan.cohort.expected, attackers, attack, rng);
}

function checkAttack(attack: readonly Hostility[], path: 'whole' | 'fast' | 'bare'): void {
  const unknown = attack.find((kind) => !hostilities.includes(kind));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot attack as the attack must be one of ${hostilities.join(', ')}${didYouMean(unknown, hostilities)}: current value is "${unknown}"`,
    );
  }
  const wire = path === 'whole' ? undefined : attack.find((kind) => Object.hasOwn(wireAttacks, kind));
  if (wire !== undefined) {
    throw new RangeError(`Cannot attack as the ${path} path has no wire to attack: current value is "${wire}"`);
  }
}

function sitesOf(
  simulation: Simulation,
  hostile: ReadonlyMap<number, Hostility>,
): { readonly sites: Sites; close(): Promise<void> } {
  const { plan, seed, trainerOf, threads = 0, workerMomentum } = simulation;
  const nothing = async () => {};
  const engine = trainingEngine(plan.training.engine);
  if (trainerOf !== undefined) return { sites: { trainerOf, test: simulation.data?.test ?? null }, close: nothing };
  const rng = createRng(seed).child('simulation', 'data');
  const { expected } = plan.cohort;
  const pool = simulation.data ?? syntheticBlobs(plan.model, { training: samplesPerClient * expected, test: 500 }, rng);
  const partition = simulation.partition ?? { alpha: plan.data.alpha };
  const shares = sharesOf(simulation, hostile, pool.training.labels, partition);
  const poisoned = poisonedData(pool.training, shares, hostile, seed);
  if (plan.privacy.mode === 'local' && plan.privacy.unit === 'record') {
    const datasets = dealDatasets(pool.training, shares);
    const noise = createRng(seed).child('simulation', 'record noise');
    const recordPrivate = (index: number) =>
      simulatedRecordTrainer(plan, poisoned.get(index) ?? datasets[index]!, noise.child(index));
    return { sites: { trainerOf: recordPrivate, test: pool.test }, close: nothing };
  }
  if (workerMomentum !== undefined) {
    const momentum = (index: number) => {
      const own = poisoned.get(index);
      const trainerOn = (data: Dataset, share = whole(data)) =>
        createMomentumTrainer({ plan, pool: data, share, momentum: workerMomentum, engine });
      const poison = hostile.get(index) ?? '';
      if (isLivePoison(poison)) {
        const honest = dealDatasets(pool.training, [shares[index]!])[0]!;
        return createLivePoisonTrainer({ plan, honest, poison, engine }, trainerOn);
      }
      return own === undefined ? trainerOn(pool.training, shares[index]!) : trainerOn(own);
    };
    return { sites: { trainerOf: momentum, test: pool.test }, close: nothing };
  }
  if (threads > 0) {
    const live = new Map([...hostile].filter((entry): entry is [number, LivePoisonId] => isLivePoison(entry[1])));
    const workers = createTrainerPool({ plan, training: pool.training, shares, poisoned, live, threads });
    return { sites: { trainerOf: workers.trainerOf, test: pool.test }, close: workers.close };
  }
  const datasets = dealDatasets(pool.training, shares);
  const builtin = (index: number) => {
    const data = poisoned.get(index) ?? datasets[index]!;
    return siteTrainer({ plan, data, poison: hostile.get(index), engine });
  };
  return { sites: { trainerOf: builtin, test: pool.test }, close: nothing };
}

function sharesOf(
  { plan, seed, attackerData = 'partition' }: Simulation,
  hostile: ReadonlyMap<number, Hostility>,
  labels: Int32Array,
  partition: Partition,
): readonly Uint32Array[] {
  const rng = createRng(seed).child('simulation', 'data').child('shares');
  const { expected } = plan.cohort;
  if (attackerData === 'partition' || hostile.size === 0) return dealSamples(labels, expected, partition, rng);
  return dealAround(hostile, labels, { clientCount: expected, partition, rng });
}

/** The data of the clients that poison theirs, by the number of the client. */
function poisonedData(
  training: Dataset,
  shares: readonly Uint32Array[],
  hostile: ReadonlyMap<number, Hostility>,
  seed: number,
): ReadonlyMap<number, Dataset> {
  const poisoners = [...hostile].filter((entry): entry is [number, PoisonId] => isPoison(entry[1]));
  return new Map(
    poisoners.map(([index, poison], colluder) => {
      const own = dealDatasets(training, [shares[index]!])[0]!;
      return [index, poisonDataset(own, poison, { seed, colluder })];
    }),
  );
}

function whole(data: Dataset): Uint32Array {
  return Uint32Array.from(data.labels.keys());
}
