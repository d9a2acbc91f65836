// The world in which detection is calibrated and measured: softmax regression on MNIST, 300 images a site, through the
// fast path of the simulation. Everything is a function of the seed.
import { createBuiltinTrainer } from '../../src/adapters/trainer-builtin.ts';
import { type Dataset, subset } from '../../src/core/data/dataset.ts';
import type { Inspection } from '../../src/core/detection/memory.ts';
import { createWasmEngine } from '../../src/core/learning/wasm/engine.ts';
import { parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { RoundRecord } from '../../src/core/round/record.ts';
import { type Hostility, type Partition, poisoned, type PoisonId, simulatePlan } from '../../src/simulation/index.ts';
import { readMnist } from '../../src/simulation/demo/sites.ts';
import { dealDatasets, dealSamples } from '../../src/simulation/world/sites.ts';

export const partitions = {
  IID: 'iid',
  'Dirichlet(1.0)': { alpha: 1 },
  'Dirichlet(0.5)': { alpha: 0.5 },
  'Dirichlet(0.1)': { alpha: 0.1 },
  sorted: 'by-label',
} as const satisfies Record<string, Partition>;

export type PartitionName = keyof typeof partitions;

const samplesPerClient = 300;
const testSamples = 1000;

export type Trial = {
  readonly partition: PartitionName;
  readonly seed: number;
  readonly clients: number;
  readonly rounds: number;
  readonly attackers?: number;
  readonly attack?: Hostility;
  readonly poison?: PoisonId;
  readonly detection?: PlanInput['detection'];
  readonly pipeline?: NonNullable<PlanInput['aggregation']>['pipeline'];
};

export type Outcome = {
  readonly attackers: readonly string[];
  readonly rounds: readonly RoundRecord[];
  readonly inspections: readonly Inspection[];
};

const mnist = await readMnist();
const engine = createWasmEngine();

/** Runs one federation and gives what was seen in it. */
export async function run(trial: Trial): Promise<Outcome> {
  const { partition, seed, clients, rounds, attackers = 0, attack, poison } = trial;
  const rng = createRng(seed).child('detection');
  const plan = parsePlan({
    name: 'detection',
    seed,
    model: { kind: 'softmax-regression', inputs: 784, classes: 10 },
    rounds: { count: rounds },
    cohort: { expected: clients },
    data: { holdoutShare: 0 },
    ...(trial.detection === undefined ? {} : { detection: trial.detection }),
    ...(trial.pipeline === undefined ? {} : { aggregation: { pipeline: trial.pipeline } }),
  });
  const order = rng.child('samples').shuffleInPlace(Uint32Array.from(mnist.training.labels.keys()));
  const training = subset(mnist.training, order.subarray(0, clients * samplesPerClient));
  const shares = dealSamples(training.labels, clients, partitions[partition], rng.child('shares'));
  const hostile = rng.child('poisoners').shuffleInPlace(Array.from({ length: clients }, (_, i) => i));
  const poisoners = poison === undefined ? [] : hostile.slice(0, attackers);
  const sites = dealDatasets(training, shares).map((data, i) =>
    poison !== undefined && poisoners.includes(i)
      ? poisoned(data, poison, { seed, colluder: poisoners.indexOf(i) })
      : data,
  );
  const inspections: Inspection[] = [];
  const result = await simulatePlan({
    plan,
    seed,
    path: 'fast',
    data: { training, test: first(mnist.test, testSamples) },
    trainerOf: (i) => createBuiltinTrainer(plan, sites[i]!, engine),
    ...(attack === undefined ? {} : { attackers, attack: [attack] }),
    onEntry: ({ kind, data }) => {
      if (kind === 'round.verdicts') inspections.push(data['inspection'] as unknown as Inspection);
    },
  });
  const named = poisoners.map((i) => `client-${String(i + 1).padStart(2, '0')}`);
  return {
    attackers: poison === undefined ? result.attackers.map(({ clientId }) => clientId) : named,
    rounds: result.rounds,
    inspections,
  };
}

function first(data: Dataset, count: number): Dataset {
  return subset(
    data,
    Uint32Array.from({ length: count }, (_, i) => i),
  );
}
