import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, parsePlan, type PlanInput } from '../plan/plan.ts';
import { createWasmCompute } from '../vector/wasm.ts';
import { type GlobalState, globalStep, type RoundUpdates, startState } from './global-step.ts';

const compute = await createWasmCompute();
const d = 4;

function planOf(
  learning: PlanInput['learning'],
  pipeline: NonNullable<PlanInput['aggregation']>['pipeline'],
  size = 2,
): Plan {
  return parsePlan({
    model: { kind: 'softmax-regression', inputs: 1, classes: 2 },
    cohort: { expected: Math.max(4, size), size, quorum: size },
    aggregation: { pipeline },
    learning,
  });
}

const filled = (value: number) => new Float32Array(d).fill(value);

/** Updates whose parts hold one value each: of the delta, and of what travels beside it. */
function updatesOf(parts: readonly (readonly number[])[], rest: Partial<RoundUpdates> = {}): RoundUpdates {
  return {
    clientIds: parts.map((_, i) => `client-${i}`),
    rows: parts.map((values) => Float32Array.from({ length: values.length * d }, (_, k) => values[Math.floor(k / d)]!)),
    claimedExamples: parts.map(() => 1),
    accumulations: parts.map(() => 1),
    ...rest,
  };
}

const firstOf = ({ model, control }: GlobalState) => [model[0], control['control']?.[0]];

test('SCAFFOLD on the server, two rounds by hand: two of four clients bring half of the way', async () => {
  const plan = planOf({ client: { algorithm: 'scaffold' } }, [{ rule: 'mean' }]);
  // Δ = (1 + 3) ÷ 2 = 2. c: rows 0 + 4, 0 + 8, mean 6, half of the way: 3.
  const first = await globalStep(
    plan,
    1,
    startState(filled(0)),
    updatesOf([
      [1, 4],
      [3, 8],
    ]),
    compute,
  );
  assert.deepEqual(firstOf(first.next), [2, 3]);
  // Δ = −1. c: rows 3 − 1, 3 + 5, mean 5: 3 + (5 − 3) ÷ 2 = 4.
  const second = await globalStep(
    plan,
    2,
    first.next,
    updatesOf([
      [-1, -1],
      [-1, 5],
    ]),
    compute,
  );
  assert.deepEqual(firstOf(second.next), [1, 4]);
});

test('a liar in the second vector alone moves neither the model nor the control beyond the honest', async () => {
  const plan = planOf({ client: { algorithm: 'scaffold' } }, [{ rule: 'trimmed-mean', f: 0 }]);
  const robust = { ...plan, aggregation: { ...plan.aggregation, pipeline: [{ rule: 'trimmed-mean', f: 1 }] } } as Plan;
  let state = startState(filled(0));
  // Honest gradients lie from 1 to 3, whatever c is; the liar says the same huge thing for ever.
  for (let round = 1; round <= 30; round++) {
    const c = state.control['control']?.[0] ?? 0;
    const updates = updatesOf([
      [0.5, 1 - c],
      [0.5, 2 - c],
      [0.5, 3 - c],
      [0.5, 1e6],
    ]);
    const { next, controlReport } = await globalStep(robust, round, state, updates, compute);
    assert.ok(controlReport!.vector[0]! >= 1 && controlReport!.vector[0]! <= 3, `round ${round}`);
    state = next;
  }
  assert.deepEqual(firstOf(state), [15, 2.5]);
  // Without a robust rule it does: the test can fail.
  const open = await globalStep(
    plan,
    1,
    startState(filled(0)),
    updatesOf([
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 1e6],
    ]),
    compute,
  );
  assert.ok(firstOf(open.next)[1]! > 1e5);
});

test('FedNova on the server by hand: directions 2 and 4, 1 and 3 steps: 2 · 3 = 6', async () => {
  const plan = planOf({ client: { algorithm: 'fed-nova' } }, [{ rule: 'mean' }]);
  const updates = updatesOf([[2], [4]], { accumulations: [1, 3] });
  assert.equal((await globalStep(plan, 1, startState(filled(1)), updates, compute)).next.model[0], 7);
});

test('FedNova: a client that the rule leaves out has no say in the steps', async () => {
  const plan = planOf({ client: { algorithm: 'fed-nova' } }, [{ rule: 'krum', f: 1 }], 5);
  const updates = updatesOf([[1], [1], [1], [1], [50]], { accumulations: [2, 2, 2, 2, 1e9] });
  const { next } = await globalStep(plan, 1, startState(filled(0)), updates, compute);
  assert.equal(next.model[0], 2);
});

test('tensors that stay at the sites are as they were at the start; the others move', async () => {
  const plan = planOf({ local: ['layers.0.bias'] }, [{ rule: 'mean' }]);
  const rows = [Float32Array.of(1, 2), Float32Array.of(3, 6)];
  const { next } = await globalStep(plan, 1, startState(filled(10)), updatesOf([[0], [0]], { rows }), compute);
  assert.deepEqual([...next.model], [12, 14, 10, 10]);
});
