// The world in which detection is calibrated and measured: softmax regression on MNIST, 300 images a site, through the
// fast path of the simulation. Everything is a function of the seed.
import { createHash } from 'node:crypto';
import { type Dataset, subset } from '../../src/core/data/dataset.ts';
import type { Inspection } from '../../src/core/detection/memory.ts';
import { parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { RoundRecord } from '../../src/core/round/record.ts';
import { readMnist } from '../../src/simulation/demo/sites.ts';
import { type Hostility, type Partition, simulatePlan } from '../../src/simulation/index.ts';

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
  readonly detection?: PlanInput['detection'];
};

export type Outcome = {
  readonly attackers: readonly string[];
  readonly rounds: readonly RoundRecord[];
  readonly inspections: readonly Inspection[];
};

const mnist = await readMnist();
const test = firstOf(mnist.test, testSamples);

const pipeline = planOf({ seed: 1, clients: 20, rounds: 20 }).aggregation.pipeline;
/** The rule that a plan has which names none, and its settings: figures of another default are of other runs. */
export const ruleName = `${pipeline.map(({ rule }) => rule).join('-')}-${createHash('sha256').update(JSON.stringify(pipeline)).digest('hex').slice(0, 8)}`;

/** Runs one federation and gives what was seen in it. */
export async function run(trial: Trial): Promise<Outcome> {
  const { partition, seed, clients, rounds, attackers = 0, attack, detection = {} } = trial;
  const plan = planOf({ seed, clients, rounds, detection });
  const order = createRng(seed)
    .child('detection', 'samples')
    .shuffleInPlace(Array.from(mnist.training.labels, (_, i) => i));
  const training = subset(mnist.training, Uint32Array.from(order.slice(0, clients * samplesPerClient)));
  const inspections: Inspection[] = [];
  const result = await simulatePlan({
    plan,
    seed,
    path: 'fast',
    partition: partitions[partition],
    data: { training, test },
    ...(attack === undefined ? {} : { attackers, attack: [attack] }),
    onEntry: ({ kind, data }) => {
      if (kind === 'round.verdicts') inspections.push(data['inspection'] as unknown as Inspection);
    },
  });
  return { attackers: result.attackers.map(({ clientId }) => clientId), rounds: result.rounds, inspections };
}

function firstOf(data: Dataset, count: number): Dataset {
  return subset(
    data,
    Uint32Array.from({ length: count }, (_, i) => i),
  );
}

function planOf({ seed, clients, rounds, detection = {} }: Pick<Trial, 'seed' | 'clients' | 'rounds' | 'detection'>) {
  return parsePlan({
    name: 'detection',
    seed,
    model: { kind: 'softmax-regression', inputs: 784, classes: 10 },
    rounds: { count: rounds },
    cohort: { expected: clients },
    data: { holdoutShare: 0 },
    detection,
  });
}
