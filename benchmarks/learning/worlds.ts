// The data that ways of learning are compared on: four hospitals, and MNIST dealt unevenly.
import { heartPlan, hospitals, readHospital } from '../../examples/heart-disease/heart-data.ts';
import { createBuiltinTrainer, splitSite } from '../../src/adapters/trainer-builtin.ts';
import { subset } from '../../src/core/data/dataset.ts';
import { partitionDirichlet } from '../../src/core/data/partition.ts';
import { createWasmEngine } from '../../src/core/learning/wasm/engine.ts';
import { type Plan, parsePlan } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { simulatePlan } from '../../src/simulation/index.ts';
import { readMnist } from '../../src/simulation/demo/sites.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import type { Learning } from './candidates.ts';

/** What a run comes to. Accuracies are shares; `null` where there is none. */
export type Outcome = {
  /** Of the global model: on the coordinator's test images, or on all hold-outs together. */
  readonly global: number | null;
  /** Of the model that each site uses, its own where it has one: over all hold-outs, and of the worst site. */
  readonly atSites: number;
  readonly worstSite: number;
  /** The first round after which the sites' models reach the target; null where none does. */
  readonly reached: number | null;
};

export type World = {
  readonly name: string;
  readonly says: string;
  readonly head: readonly string[];
  readonly isRegression: boolean;
  readonly target: number;
  run(learning: Learning, seed: number): Promise<Outcome>;
};

const engine = createWasmEngine();
/** Accuracy at the sites whose first round is reported. */
const [heartTarget, mnistTarget] = [0.78, 0.85];

export function heartWorld(folder: string): World {
  return {
    name: 'heart disease',
    says: `logistic regression over four hospitals, 486 rows to train on, ${heartPlan.rounds.count} rounds of one pass; accuracy over all hold-outs`,
    head: ['layers.0.bias'],
    isRegression: true,
    target: heartTarget,
    async run(learning, seed) {
      const plan = parsePlan({ ...heartPlan, seed, learning });
      const tables = await Promise.all(hospitals.map((hospital) => readHospital(folder, hospital, seed)));
      const sites = tables.map(({ training, test }) => ({ training, holdOut: test }));
      return outcomeOf(plan, (i) => createBuiltinTrainer(plan, sites[i]!, engine), null, heartTarget);
    },
  };
}

const mnistClients = 10;
const mnistSamples = 6000;

export async function mnistWorld(): Promise<World> {
  const { training, test } = await readMnist();
  return {
    name: 'MNIST, α = 0.1',
    says: `MLP 784-32-10, ${mnistClients} clients with ${mnistSamples} images dealt by Dirichlet(0.1), a fifth of them held out, 30 rounds of two passes; global accuracy on the 10,000 test images`,
    head: ['layers.1.weight', 'layers.1.bias'],
    isRegression: false,
    target: mnistTarget,
    async run(learning, seed) {
      const plan = parsePlan({
        name: 'mnist',
        seed,
        model: { kind: 'mlp', layers: [784, 32, 10] },
        rounds: { count: 30 },
        cohort: { expected: mnistClients },
        training: { epochs: 2, batchSize: 32, learningRate: 0.05 },
        aggregation: { pipeline: [{ rule: 'mean' }] },
        data: { holdoutShare: 0.2 },
        learning,
      });
      const rng = createRng(seed).child('bench');
      const drawn = rng.shuffleInPlace(Uint32Array.from({ length: training.labels.length }, (_, i) => i));
      const pool = subset(training, drawn.subarray(0, mnistSamples));
      const shares = partitionDirichlet({
        labels: pool.labels,
        clientCount: mnistClients,
        alpha: 0.1,
        samplesMin: 50,
        rng: rng.child('shares'),
      });
      const sites = shares.map((share) => splitSite(plan, subset(pool, share)));
      return outcomeOf(plan, (i) => createBuiltinTrainer(plan, sites[i]!, engine), { training, test }, mnistTarget);
    },
  };
}

/** Runs a plan in the simulation's fast path and reads what the rounds say. */
async function outcomeOf(
  plan: Plan,
  trainerOf: (index: number) => Trainer,
  data: NonNullable<Parameters<typeof simulatePlan>[0]['data']> | null,
  target: number,
): Promise<Outcome> {
  const trainers = plan.cohort.expected;
  const all = Array.from({ length: trainers }, (_, i) => trainerOf(i));
  const { rounds, status, reason } = await simulatePlan({
    plan,
    seed: plan.seed,
    path: 'fast',
    trainerOf: (i) => all[i]!,
    ...(data === null ? {} : { data }),
  });
  if (status !== 'completed') throw new Error(`Cannot measure as the run must complete: ${reason}`);
  const last = rounds.at(-1)!;
  const own = (record: typeof last) => record.clients!.personal ?? record.clients!;
  const { accuracy, worst } = own(last);
  const isLocal = plan.learning.local.length > 0;
  return {
    global: isLocal ? null : (last.accuracy ?? last.clients!.accuracy),
    atSites: accuracy,
    worstSite: worst.accuracy,
    reached: rounds.find((record) => own(record).accuracy >= target)?.round ?? null,
  };
}
