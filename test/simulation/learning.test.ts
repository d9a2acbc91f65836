// What a run learns is a function of plan, data and participants: the same bytes on the way through agents, network and
// crashes as in a plain loop over the same trainers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeDeflate } from '../../src/adapters/deflate-node.ts';
import { createBuiltinTrainer } from '../../src/adapters/trainer-builtin.ts';
import { createWasmEngine } from '../../src/core/learning/wasm/engine.ts';
import { type Plan, parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { createWasmCompute } from '../../src/core/vector/wasm.ts';
import { simulatePlan } from '../../src/simulation/index.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { runFaultless } from '../../src/simulation/reference-runs.ts';
import { parametersHash } from '../../src/simulation/world/world-result.ts';
import { dealDatasets, dealSamples, syntheticBlobs } from '../../src/simulation/world/sites.ts';
import { type Faults, noFaults } from '../../src/simulation/world/faults.ts';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';

const compute = await createWasmCompute();
const engine = createWasmEngine();
const deflate = createNodeDeflate();
const crypto = createNodeCrypto();
const clients = 4;

function planOf(learning: PlanInput['learning'], rest: Partial<PlanInput> = {}): Plan {
  return parsePlan({
    model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
    rounds: { count: 4 },
    cohort: { expected: clients, quorum: clients, deadlineSeconds: 3600, absenceGraceSeconds: 3600 },
    training: { epochs: 2, batchSize: 8, learningRate: 0.1 },
    aggregation: { pipeline: [{ rule: 'trimmed-mean', f: 1 }], codec: 'float32' },
    learning,
    ...rest,
  });
}

function dataOf(plan: Plan) {
  const rng = createRng(5);
  const pool = syntheticBlobs(plan.model, { training: 60 * clients, test: 60 }, rng);
  const shares = dealSamples(pool.training.labels, clients, { alpha: 0.3 }, rng.child('shares'));
  const datasets = dealDatasets(pool.training, shares);
  return { pool, trainerOf: (index: number) => createBuiltinTrainer(plan, datasets[index]!, engine) };
}

/** A plain loop over the same trainers, without coordinator, agents and network. */
async function faultless(plan: Plan): Promise<string> {
  const { pool, trainerOf } = dataOf(plan);
  const sites = Array.from({ length: clients }, (_, i) => ({ clientId: `client-0${i + 1}`, trainer: trainerOf(i) }));
  const { pipeline } = plan.aggregation;
  const { parameters } = await runFaultless(plan, sites, { engine, compute, deflate, pipeline, test: pool.test });
  return parametersHash(parameters, crypto.sha256);
}

/** A whole world: real agents over a network that loses, repeats and delays, and a coordinator that is killed. */
async function whole(plan: Plan, faults: Faults) {
  const { trainerOf } = dataOf(plan);
  const world = await simulatePlan({ plan, seed: 3, trainerOf, path: 'whole', faults });
  assert.deepEqual(world.violations, []);
  assert.equal(world.status, 'completed', world.reason ?? '');
  assert.ok(world.rounds.every(({ status, accepted }) => status === 'completed' && accepted.length === clients));
  return world;
}

const sums = { pipeline: [{ rule: 'mean' as const }], codec: 'float32' as const };

const bumpy: Faults = {
  ...noFaults,
  latencyMs: { min: 1, max: 50 },
  dropShare: 0.05,
  duplicateShare: 0.1,
  duplicateDelayMs: 100,
  streamLifeMs: 5000,
  crashShare: 0.06,
  crashesMax: 12,
  clientLifeMs: 4000,
  trainingMs: { min: 10, max: 500 },
  slowestFactor: 3,
};

const ways: Readonly<Record<string, NonNullable<PlanInput['learning']>>> = {
  'fed-avg': { server: { optimizer: 'fed-avg', learningRate: 0.7 } },
  'fed-avg-m': { server: { optimizer: 'fed-avg-m', momentum: 0.5 } },
  'fed-adam': { server: { optimizer: 'fed-adam', learningRate: 0.1 } },
  'fed-yogi': { server: { optimizer: 'fed-yogi', learningRate: 0.1 } },
  'fed-adagrad': { server: { optimizer: 'fed-adagrad', learningRate: 0.1 } },
  'fed-prox': { client: { algorithm: 'fed-prox', mu: 1 } },
  'fed-nova': { client: { algorithm: 'fed-nova' } },
  scaffold: { client: { algorithm: 'scaffold' } },
  ditto: { client: { algorithm: 'ditto', lambda: 0.5 } },
  'fine-tuning': { client: { algorithm: 'fine-tuning' } },
  newton: { client: { algorithm: 'newton', penalty: 1 } },
  'tensors that stay': { local: ['layers.0.bias'] },
  'scaffold, tensors that stay, FedAdam': {
    client: { algorithm: 'scaffold' },
    server: { optimizer: 'fed-adam', learningRate: 0.1 },
    local: ['layers.0.bias'],
  },
};

for (const [name, learning] of Object.entries(ways)) {
  test(`${name}: a plain loop, the fast path, a calm world and one with crashes learn the same bytes`, async () => {
    const plan = planOf(learning, name === 'newton' ? { aggregation: sums } : {});
    const expected = await faultless(plan);
    const calm = await whole(plan, noFaults);
    assert.equal(calm.parametersHash, expected);
    const shaken = await whole(plan, bumpy);
    assert.ok(shaken.crashes > 2 && shaken.clientRestarts > 0, `${shaken.crashes}, ${shaken.clientRestarts}`);
    assert.equal(shaken.parametersHash, expected);
    assert.equal(shaken.modelHash, calm.modelHash);
    const { trainerOf } = dataOf(plan);
    const fast = await simulatePlan({ plan, seed: 3, trainerOf, path: 'fast' });
    assert.equal(fast.modelHash, calm.modelHash);
    const personal = calm.rounds.at(-1)!.clients!.personal;
    assert.equal(personal?.reports, ['ditto', 'fine-tuning'].includes(name) ? clients : undefined);
    assert.deepEqual(fast.rounds.at(-1)!.clients, calm.rounds.at(-1)!.clients);
  });
}

test('newton is not attacked in simulation: the attacks change deltas, and sums have none', async () => {
  const plan = planOf(ways['newton'], { aggregation: sums });
  const { trainerOf } = dataOf(plan);
  const attacked = simulatePlan({ plan, seed: 3, trainerOf, path: 'fast', attackers: 1, attack: ['sign-flip'] });
  await assert.rejects(attacked, /must send deltas.*with newton they send sums \(nearest: 0 attackers\).*is 1/);
});

test('newton: sums that no data can have fail the round with the name of the client, and publish nothing', async () => {
  const plan = planOf(ways['newton'], { aggregation: sums, rounds: { count: 2, attempts: 2 } });
  const { trainerOf } = dataOf(plan);
  const lying = (index: number): Trainer => ({
    ...trainerOf(index),
    async train(task) {
      const result = await trainerOf(index).train(task);
      if (index !== 2) return result;
      return { ...result, sums: { ...result.sums!, hessian: result.sums!.hessian.map((value) => -value) } };
    },
  });
  const world = await simulatePlan({ plan, seed: 3, trainerOf: lying, path: 'fast' });
  assert.deepEqual(
    world.rounds.map(({ status }) => status),
    ['aborted', 'aborted'],
  );
  for (const { reason } of world.rounds)
    assert.match(reason ?? '', /sums of client-03, as a bias must have a curvature/);
});

test('top-k with error feedback: what is left out goes on through crashes, and counts when the update has', async () => {
  const aggregation = { pipeline: [{ rule: 'trimmed-mean' as const, f: 1 }], codec: 'top-k' as const };
  const planWith = (errorFeedback: boolean) =>
    planOf({ client: { algorithm: 'sgd' } }, { aggregation: { ...aggregation, topK: { share: 0.2, errorFeedback } } });
  const plan = planWith(true);
  const expected = await faultless(plan);
  assert.equal((await whole(plan, noFaults)).parametersHash, expected);
  const shaken = await whole(plan, bumpy);
  assert.ok(shaken.crashes > 2 && shaken.clientRestarts > 0);
  assert.equal(shaken.parametersHash, expected);
  assert.notEqual(await faultless(planWith(false)), expected);
});

test('SCAFFOLD with a lossy codec and a liar that knows everybody: crashes change nothing', async () => {
  const plan = planOf(ways['scaffold'], { aggregation: { pipeline: [{ rule: 'trimmed-mean', f: 1 }] } });
  const { trainerOf } = dataOf(plan);
  const attack = { attackers: 1, attack: ['alie'] as const };
  const runs = await Promise.all(
    [noFaults, bumpy].map((faults) => simulatePlan({ plan, seed: 3, trainerOf, path: 'whole', faults, ...attack })),
  );
  assert.deepEqual(
    runs.map(({ violations }) => violations),
    [[], []],
  );
  assert.ok(runs[1]!.crashes > 2);
  assert.equal(runs[1]!.parametersHash, runs[0]!.parametersHash);
});

test('a rule that remembers clients: what it keeps goes on through crashes, in streamed rounds and in whole ones', async () => {
  const aggregation = { pipeline: [{ rule: 'watchful' as const, f: 1 }], codec: 'float32' as const };
  for (const way of ['fed-avg', 'fed-adam']) {
    const plan = planOf(ways[way]!, { aggregation, rounds: { count: 5 }, training: { epochs: 1, batchSize: 30 } });
    const expected = await faultless(plan);
    const runs = await Promise.all([noFaults, bumpy].map((faults) => whole(plan, faults)));
    assert.ok(runs[1]!.crashes > 2);
    assert.deepEqual(
      runs.map(({ parametersHash: hash }) => hash),
      [expected, expected],
    );
    // The model's file names what was kept, so its hash stands for that too.
    assert.equal(runs[1]!.modelHash, runs[0]!.modelHash);
  }
});

test('an adaptive plan: slow sites train less once they know themselves, and the same seed gives the same run', async () => {
  const training = { epochs: 4, batchSize: 4, learningRate: 0.1, adaptive: { roundSeconds: 5, stepsMin: 2 } };
  const plan = planOf({ client: { algorithm: 'fed-nova' } }, { training });
  const run = async () => {
    const { trainerOf } = dataOf(plan);
    const steps: number[] = [];
    const counted = (index: number): Trainer => ({
      ...trainerOf(index),
      async train(task) {
        const result = await trainerOf(index).train(task);
        steps.push(result.steps!);
        return result;
      },
    });
    const faults = { ...noFaults, trainingMs: { min: 15_000, max: 15_000 } };
    const world = await simulatePlan({ plan, seed: 3, trainerOf: counted, path: 'whole', faults });
    assert.deepEqual([world.violations, world.status], [[], 'completed']);
    return { steps, hash: world.modelHash };
  };
  const first = await run();
  // Training takes 15 s here whatever it does: a third of the samples fit into the time that is wanted.
  const [before, after] = [first.steps.slice(0, clients), first.steps.slice(clients, 2 * clients)];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  assert.ok(sum(after) < 0.4 * sum(before), `${before} then ${after}`);
  assert.deepEqual(await run(), first);
});
