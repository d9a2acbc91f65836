import { createBuiltinTrainer } from '../adapters/trainer-builtin.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { JournalEntry } from '../ports/store.ts';
import type { Trainer } from '../ports/trainer.ts';
import { createTrainerPool } from './trainer-pool.ts';
import type { Sites } from './world/cast.ts';
import { runDirectWorld } from './world/direct-world.ts';
import { drawFaults, type Faults, noFaults } from './world/faults.ts';
import { chooseHostile, type Hostility, hostilities } from './world/scenario.ts';
import { dealDatasets, dealSamples, type Partition, type Pool, syntheticBlobs } from './world/sites.ts';
import { wireAttacks } from './world/wire-attacks.ts';
import { runWorld } from './world/world.ts';
import type { WorldResult } from './world/world-result.ts';

export { leftOutByFastPath } from './world/direct-world.ts';
export { poisoned, type PoisonId } from './poisoned.ts';
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
  const { plan, seed, attackers = 0, attack = ['sign-flip'], path = 'whole', faults = 'none', onRound } = simulation;
  const rng = createRng(seed).child('simulation');
  checkAttack(attack, path);
  const { sites, close } = sitesOf(simulation);
  const hostile = chooseHostile(plan.cohort.expected, attackers, attack, rng.child('attackers'));
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

function checkAttack(attack: readonly Hostility[], path: 'whole' | 'fast'): void {
  const unknown = attack.find((kind) => !hostilities.includes(kind));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot attack as the attack must be one of ${hostilities.join(', ')}: current value is "${unknown}"`,
    );
  }
  const wire = path === 'fast' ? attack.find((kind) => Object.hasOwn(wireAttacks, kind)) : undefined;
  if (wire !== undefined) {
    throw new RangeError(`Cannot attack as the fast path has no wire to attack: current value is "${wire}"`);
  }
}

function sitesOf(simulation: Simulation): { readonly sites: Sites; close(): Promise<void> } {
  const { plan, seed, trainerOf, threads = 0 } = simulation;
  const nothing = async () => {};
  if (trainerOf !== undefined) return { sites: { trainerOf, test: simulation.data?.test ?? null }, close: nothing };
  const rng = createRng(seed).child('simulation', 'data');
  const { expected } = plan.cohort;
  const pool = simulation.data ?? syntheticBlobs(plan.model, { training: samplesPerClient * expected, test: 500 }, rng);
  const partition = simulation.partition ?? { alpha: plan.data.alpha };
  const shares = dealSamples(pool.training.labels, expected, partition, rng.child('shares'));
  if (threads > 0) {
    const workers = createTrainerPool({ plan, training: pool.training, shares, threads });
    return { sites: { trainerOf: workers.trainerOf, test: pool.test }, close: workers.close };
  }
  const engine = createWasmEngine();
  const datasets = dealDatasets(pool.training, shares);
  const builtin = (index: number) => createBuiltinTrainer(plan, datasets[index]!, engine);
  return { sites: { trainerOf: builtin, test: pool.test }, close: nothing };
}
