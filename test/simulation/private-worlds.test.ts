import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryBlobs } from '../../src/adapters/blobs-memory.ts';
import { nextModel } from '../../src/core/learning/server/next-model.ts';
import { parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { startState } from '../../src/core/round/global-step.ts';
import { simulatePlan } from '../../src/simulation/index.ts';
import { releaseProblem } from '../../src/simulation/world/release-invariant.ts';

const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
const mean = { pipeline: [{ rule: 'mean' }] } as const satisfies PlanInput['aggregation'];
const plans: Readonly<Record<string, Omit<PlanInput, 'model'>>> = {
  'DP-FedAvg by coins': { privacy: { mode: 'central', sampleRate: 0.5 } },
  'an adaptive clip': { privacy: { mode: 'central', adaptiveClip: {} } },
  'DP-FTRL': { privacy: { mode: 'central', mechanism: 'dp-ftrl' }, cohort: { size: 2, quorum: 1 } },
  'banded DP-FTRL with momentum': {
    privacy: { mode: 'central', mechanism: 'dp-ftrl', ftrl: { noise: 'banded' } },
    cohort: { size: 2, quorum: 1 },
    learning: { server: { optimizer: 'fed-avg-m' } },
  },
  'local privacy of clients': { privacy: { mode: 'local', epsilon: 400 }, aggregation: mean },
  'PrivUnit and a histogram of labels': {
    privacy: {
      mode: 'local',
      epsilon: 400,
      mechanism: 'priv-unit',
      histograms: [{ name: 'labels', epsilon: 3, rounds: [1, 3] }],
    },
  },
  'local privacy of records': { privacy: { mode: 'local', unit: 'record' }, aggregation: mean },
};

for (const [name, input] of Object.entries(plans)) {
  test(`whole worlds under ${name} keep every invariant, with crashes and a bad network`, async () => {
    const plan = parsePlan({ model, rounds: { count: 3 }, ...input, cohort: { expected: 6, ...input.cohort } });
    // Examples' gradients one by one take their time: one seed.
    const isSlow =
      plan.privacy.mode === 'local' && (plan.privacy.unit === 'record' || plan.privacy.mechanism === 'priv-unit');
    for (const seed of isSlow ? [1] : [1, 2]) {
      const { violations, status, reason } = await simulatePlan({ plan, seed, path: 'whole', faults: 'drawn' });
      assert.deepEqual(violations, [], `seed ${seed}`);
      // A site that is killed after it has counted an update and before it has sent it has one less to give.
      const isShort = plan.privacy.mode === 'local' && status === 'failed';
      assert.ok(isShort || status === 'completed', `seed ${seed}: ${status}, ${reason}`);
    }
  });
}

test('DP-FTRL is a function of the seed on the fast path, and its noise follows ε', async () => {
  const run = (epsilon: number, seed: number) => {
    const privacy = { mode: 'central', mechanism: 'dp-ftrl', epsilon } as const;
    const cohort = { expected: 9, size: 3 };
    return simulatePlan({ plan: parsePlan({ model, cohort, rounds: { count: 6 }, privacy }), seed, path: 'fast' });
  };
  const [first, again, other] = [await run(4, 1), await run(4, 1), await run(4, 2)];
  assert.equal(first.parametersHash, again.parametersHash);
  assert.notEqual(first.parametersHash, other.parametersHash);
  const [weak, strong] = [await run(500, 1), await run(0.01, 1)];
  assert.ok(weak.rounds.at(-1)!.accuracy! > strong.rounds.at(-1)!.accuracy! + 0.1);
});

test('the check of a release sees a model that is not made of it, noise that is too much, and none', async () => {
  const plan = parsePlan({ model, privacy: { mode: 'central' }, cohort: { expected: 2 } });
  const before = startState(new Float32Array(15));
  const rows = [new Float32Array(15).fill(0.1), new Float32Array(15).fill(-0.1)];
  const checked = async (noise: number, after?: Float32Array) => {
    const vector = new Float32Array(15).fill(noise);
    const blobs = createMemoryBlobs();
    const release = await blobs.put(new Uint8Array(vector.buffer));
    const data = { release, noiseNorm: 1, radius: 1 };
    const entries = [{ kind: 'privacy.released', data }] as never;
    const made = nextModel(plan.learning.server, { base: before.model, state: {}, aggregate: vector }).model;
    const state = { before: { privacy: null }, entries } as never;
    const step = { rows, before, after: { ...before, model: after ?? made } };
    return releaseProblem(plan, state, step, { blobs } as never);
  };
  assert.equal(await checked(0.25), undefined);
  assert.match((await checked(0.25, new Float32Array(15)))!, /^value 0 of the model is 0 and not 0\.25$/);
  assert.match((await checked(3))!, /^the release is 11\.6\d+ from the bounded sum, where noise is at most 3\.06/);
  assert.match((await checked(0))!, /^the release has no noise/);
});
