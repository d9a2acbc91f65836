import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../plan/plan.ts';
import { createRng } from '../random/rng.ts';
import { createWasmCompute } from '../vector/wasm.ts';
import type { SpooledRow } from '../../ports/compute.ts';
import type { Tiles } from '../learning/server/next-model.ts';
import { encodeTiles, encodeVectors } from '../learning/vectors.ts';
import { type GlobalState, globalStep } from './global-step.ts';
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

async function gathered({ length, tiles }: Tiles): Promise<Float32Array> {
  const all = new Float32Array(length);
  let start = 0;
  for await (const tile of tiles()) {
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
      const files = {
        model: spooled(base),
        parent: before === null ? null : spooled(before),
        optimizer: {},
        memory: {},
      };
      const sent = { ...claims, rows: rows.map(spooled), clientIds, into: new Float32Array(d) };
      const streamed = await streamedStep(plan, 3, files, sent, compute);
      const made = await gathered(streamed.next.model);
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
    { model: spooled(base), parent: null, optimizer: {}, memory: {} },
    sent,
    compute,
  );
  await assert.rejects(gathered(step.next.model), new RegExp(`parameter ${d - 1} must be finite`));
});

test('two rounds of every optimiser, and of FedNova, tile by tile: model and state are those of globalStep()', async () => {
  const rng = createRng(9);
  const vector = () => Float32Array.from({ length: d }, () => rng.float() - 0.5);
  const rows = Array.from({ length: 6 }, vector);
  const clientIds = rows.map((_, i) => `c-${i}`);
  const sent = { rows, clientIds, claimedExamples: [5, 1, 2, 9, 4, 4], accumulations: [1, 2, 3, 40, 5, 6] };
  const learnings = [
    ...['fed-avg-m', 'fed-adagrad', 'fed-adam', 'fed-yogi'].map((optimizer) => ({ server: { optimizer } })),
    { client: { algorithm: 'fed-nova' } },
    { client: { algorithm: 'fed-nova' }, server: { optimizer: 'fed-adam' } },
  ];
  for (const learning of learnings) {
    // It clips around the last aggregate, which is part of the state.
    const plan = planWith('centered-clipping', learning);
    assert.ok(isStreamable(plan));
    let state: GlobalState = { model: vector(), parent: null, optimizer: {}, control: {}, memory: {} };
    for (const round of [1, 2]) {
      const { next } = await globalStep(plan, round, state, sent, compute);
      const files = {
        model: spooled(state.model),
        parent: state.parent && spooled(state.parent),
        optimizer: Object.fromEntries(Object.entries(state.optimizer).map(([name, values]) => [name, spooled(values)])),
        memory: {},
      };
      const into = new Float32Array(d);
      const streamed = await streamedStep(plan, round, files, { ...sent, rows: rows.map(spooled), into }, compute);
      assert.equal(Buffer.compare(bytesOf(await gathered(streamed.next.model)), bytesOf(next.model)), 0);
      assert.equal(Buffer.compare(await fileOf(streamed.next.state), Buffer.from(encodeVectors(next.optimizer))), 0);
      state = next;
    }
  }
});

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** The file of a state, which has the vectors of `encodeVectors` in the same order. */
async function fileOf(state: Readonly<Record<string, Tiles>>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of encodeTiles(state)) parts.push(part.slice());
  return Buffer.concat(parts);
}

test('isStreamable() says no where a second vector travels, or tensors stay at home', () => {
  assert.equal(isStreamable(planWith('mean', { client: { algorithm: 'scaffold' } })), false);
  assert.equal(isStreamable(planWith('mean', { local: ['layers.0.bias'] })), false);
});
