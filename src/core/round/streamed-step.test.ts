import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { createWasmCompute } from '../vector/wasm.ts';
import type { SpooledRow } from '../../ports/compute.ts';
import { globalStep } from './global-step.ts';
import { isStreamable, streamedStep } from './streamed-step.ts';

const compute = createWasmCompute();
const model = { kind: 'softmax-regression', inputs: 131_070, classes: 3 } as const;
const d = 131_071 * 3;
const planWith = (rule: string, learning: object = {}) =>
  parsePlan({
    model,
    learning: learning as never,
    aggregation: { pipeline: [{ rule, ...(rule === 'mean' ? {} : { f: 1 }) }] as never },
    cohort: { expected: 6 },
  });

/** A vector as a file gives it: range by range. */
function spooled(vector: Float32Array): SpooledRow {
  return {
    length: vector.length,
    read: async (start, target) => target.set(vector.subarray(start, start + target.length)),
  };
}

async function gathered(tiles: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const all = new Float32Array(d);
  let start = 0;
  for await (const tile of tiles) {
    all.set(tile, start);
    start += tile.length;
  }
  assert.equal(start, d);
  return all;
}

test('streamedStep() gives the model that globalStep() gives, bit for bit, from rows and models in files', async () => {
  const rng = createRng(8);
  const vector = () => Float32Array.from({ length: d }, () => rng.float() - 0.5);
  const [base, parent] = [vector(), vector()];
  const rows = Array.from({ length: 6 }, vector);
  const claims = { claimedExamples: [5, 1, 2, 9, 4, 4], accumulations: rows.map(() => 1) };
  const clientIds = rows.map((_, i) => `c-${5 - i}`);
  for (const rule of ['mean', 'centered-clipping', 'multi-krum', 'trimmed-mean']) {
    const plan = planWith(rule, { server: { optimizer: 'fed-avg', learningRate: 0.5 } });
    assert.ok(isStreamable(plan));
    for (const before of [null, parent]) {
      const state = { model: base, parent: before, optimizer: {}, control: {}, memory: {} };
      const whole = await globalStep(plan, 3, state, { ...claims, rows, clientIds }, compute);
      const files = { model: spooled(base), parent: before === null ? null : spooled(before), memory: {} };
      const sent = { ...claims, rows: rows.map(spooled), clientIds, into: new Float32Array(d) };
      const streamed = await streamedStep(plan, 3, files, sent, compute);
      const made = await gathered(streamed.model);
      assert.equal(Buffer.compare(Buffer.from(made.buffer), Buffer.from(whole.next.model.buffer)), 0, rule);
      assert.deepEqual(streamed.report.diagnostics.norms, whole.report.diagnostics.norms);
    }
  }
});

test('a model that is not finite is refused at the parameter of the whole model', async () => {
  const base = new Float32Array(d).fill(3e38);
  const rows = Array.from({ length: 6 }, () => new Float32Array(d));
  for (const row of rows) row[d - 1] = 3e38;
  const claims = { claimedExamples: rows.map(() => 1), accumulations: rows.map(() => 1) };
  const clientIds = rows.map((_, i) => `c-${i}`);
  const sent = { ...claims, rows, clientIds, into: new Float32Array(d) };
  const step = await streamedStep(
    planWith('mean'),
    1,
    { model: spooled(base), parent: null, memory: {} },
    sent,
    compute,
  );
  await assert.rejects(gathered(step.model), new RegExp(`parameter ${d - 1} must be finite`));
});

test('isStreamable() says no where a round needs more than the model', () => {
  assert.equal(isStreamable(planWith('mean', { server: { optimizer: 'fed-adam' } })), false);
  assert.equal(isStreamable(planWith('mean', { client: { algorithm: 'scaffold' } })), false);
  assert.equal(isStreamable(planWith('mean', { client: { algorithm: 'fed-nova' } })), false);
  assert.equal(isStreamable(planWith('mean', { local: ['layers.0.bias'] })), false);
});
