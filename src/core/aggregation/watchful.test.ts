import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, asyncProperty, integer } from 'fast-check';
import { createRng } from '../random/rng.ts';
import { createReferenceCompute } from '../vector/reference.ts';
import { aggregateCohort } from './aggregate.ts';
import { recall, type RuleMemory } from './recall.ts';

const compute = createReferenceCompute();
const d = 60;
const n = 10;
const clientIds = Array.from({ length: n }, (_, i) => `client-${i}`);

type Findings = {
  readonly contrary: readonly number[];
  readonly leftOut: readonly number[];
  readonly copies: readonly (readonly number[])[];
  readonly choir: readonly number[];
  readonly suspects: readonly number[];
  readonly chosen: string;
};

/**
 * Gradient descent of clients with quadratic losses ½ Σ a_k (w_k − c_k)², each with its own curvature and optimum; the
 * hostile ones send `factor` times their update.
 */
async function descend(
  seed: number,
  { hostile, factor, rounds = 40, f = 3 }: { hostile: readonly number[]; factor: number; rounds?: number; f?: number },
) {
  const rng = createRng(seed);
  const losses = clientIds.map(() => ({
    curvature: Float64Array.from({ length: d }, () => 0.2 + 2 * rng.float()),
    optimum: Float64Array.from({ length: d }, () => 1 + 2 * rng.gaussian()),
  }));
  const model = new Float64Array(d);
  let memory: RuleMemory = {};
  let findings: Findings | undefined;
  for (let round = 0; round < rounds; round++) {
    const rows = losses.map(({ curvature, optimum }, i) =>
      Float64Array.from(model, (w, k) => {
        const step = 0.05 * curvature[k]! * (optimum[k]! - w) + 0.01 * rng.gaussian();
        return hostile.includes(i) ? factor * step : step;
      }),
    );
    const context = { base: model.slice(), memory, memorySeed: 7 };
    const report = await aggregateCohort({ rows, clientIds }, [{ rule: 'watchful', f }], context, compute);
    for (let k = 0; k < d; k++) model[k]! += report.vector[k]!;
    memory = report.nextState.memory!;
    findings = report.diagnostics.findings as Findings;
  }
  return { findings: findings!, memory, model };
}

test('whoever turns its updates around is left out, and nobody else, however different the data are', async () => {
  const { findings } = await descend(1, { hostile: [2, 5], factor: -1 });
  assert.deepEqual([...findings.contrary].sort(), [2, 5]);
  assert.equal(findings.chosen, 'mean');
});

test('honest clients with losses of their own are never found contrary, and the result is their mean', async () => {
  const seeds = integer({ min: 1, max: 1e6 });
  await check(
    asyncProperty(seeds, async (seed) => {
      const { findings } = await descend(seed, { hostile: [], factor: 1, rounds: 25 });
      assert.deepEqual([findings.contrary, findings.leftOut, findings.choir, findings.copies], [[], [], [], []]);
    }),
    { numRuns: 10, seed: 5 },
  );
});

test('no more than f are found contrary', async () => {
  const { findings } = await descend(3, { hostile: [0, 1, 2], factor: -1, f: 2 });
  assert.equal(findings.contrary.length, 2);
  assert.ok(findings.contrary.every((i) => i <= 2));
});

test('recall() has no lasting answer before sixteen participations, no recent one before four, nor for an update of nothing', async () => {
  const rng = createRng(4);
  const rows = [Float64Array.from({ length: d }, () => rng.gaussian()), new Float64Array(d)];
  let memory: RuleMemory = {};
  for (let round = 1; round <= 16; round++) {
    const base = Float64Array.from({ length: d }, () => round);
    const { answers, next } = await recall({ rows, clientIds: ['a', 'b'], base, memory, seed: 3 });
    assert.equal(Number.isNaN(answers.lasting[0]!), round < 16, `round ${round}`);
    assert.equal(Number.isNaN(answers.recent[0]!), round < 4, `round ${round}`);
    assert.ok(Number.isNaN(answers.lasting[1]!) && Number.isNaN(answers.recent[1]!));
    assert.deepEqual(Object.keys(next), ['client/a']);
    memory = next;
  }
});

test('recall() of a pull that falls as the model moves along it is 1, and of one that grows −1', async () => {
  // One direction only: the update turns from +e to −e as the model moves along e.
  const e = Float64Array.from({ length: d }, (_, k) => (k === 3 ? 1 : 0));
  const at = (scale: number) => e.map((value) => value * scale);
  const answerOf = async (first: number, later: number) => {
    let memory: RuleMemory = {};
    let answer = Number.NaN;
    for (let round = 0; round <= 15; round++) {
      const rows = [at(round === 0 ? first : later)];
      const { answers, next } = await recall({ rows, clientIds: ['a'], base: at(round), memory, seed: 3 });
      memory = next;
      answer = answers.lasting[0]!;
    }
    return answer;
  };
  assert.ok(Math.abs((await answerOf(1, -1)) - 1) < 1e-6);
  assert.ok(Math.abs((await answerOf(-1, 1)) + 1) < 1e-6);
});

test('without names or a model the rule forgets: it clips, and keeps nothing', async () => {
  const rows = [1, 2, 4, 8, 3, 6].map((length, i) =>
    Float64Array.from({ length: 6 }, (_, k) => (k === i ? length : 0)),
  );
  const { vector, nextState, diagnostics } = await aggregateCohort({ rows }, [{ rule: 'watchful', f: 2 }], {}, compute);
  // The median length is 3.5: 4, 8 and 6 are cut to it.
  const expected = [1, 2, 3.5, 3.5, 3, 3.5].map((value) => value / 6);
  for (const [k, value] of expected.entries()) assert.ok(Math.abs(vector[k]! - value) < 1e-12);
  assert.deepEqual(nextState, {});
  assert.equal((diagnostics.findings as Findings).chosen, 'clipped mean');
});

test('a base of another length is refused', async () => {
  const rows = [Float64Array.of(1, 2), Float64Array.of(1, 3), Float64Array.of(2, 2)];
  const context = { clientIds: ['a', 'b', 'c'], base: new Float64Array(3) };
  await assert.rejects(
    aggregateCohort({ rows }, [{ rule: 'watchful', f: 1 }], context, compute),
    /base must have the length 2: current value is 3/,
  );
});

test('a memory of another length, as an earlier release kept it, is no memory: the client begins anew', async () => {
  const round = { rows: [new Float64Array(d).fill(1)], clientIds: ['a'], base: new Float64Array(d), seed: 3 };
  const fresh = await recall({ ...round, memory: {} });
  const later = await recall({ ...round, memory: { 'client/a': new Float32Array(1026).fill(7) } });
  assert.deepEqual(later, fresh);
});

test('of a client that turns around after twenty rounds the lasting answer stays above zero, and the recent one falls', async () => {
  // The honest pull swings from e0 to e1 as the model moves along e0, so less and less of it goes along the way.
  let memory: RuleMemory = {};
  for (let round = 0; round <= 40; round++) {
    const sign = round < 20 ? 1 : -1;
    const pull = new Float64Array(d);
    pull.set([sign * Math.cos(0.03 * round), sign * Math.sin(0.03 * round)]);
    const base = Float64Array.from({ length: d }, (_, k) => (k === 0 ? round : 0));
    const { answers, next } = await recall({ rows: [pull], clientIds: ['a'], base, memory, seed: 3 });
    memory = next;
    if (round >= 15) assert.ok(answers.lasting[0]! > 0.1, `round ${round}`);
    if (round >= 4 && round < 20) assert.ok(answers.recent[0]! >= 0, `round ${round}`);
    // From round 28 on the reference, of round 24, is hostile itself.
    if (round >= 38) assert.ok(answers.recent[0]! < -0.25, `round ${round}: ${answers.recent[0]}`);
  }
});

test('a known client that is not found out is no longer than twice the (f + 1)-th longest', async () => {
  // Sixteen equal rounds make everybody known; then lengths are 1, 1, 1, 1, 2 and 5: f = 1, so 5 becomes 2 · 2.
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const rowsOf = (lengths: readonly number[]) =>
    lengths.map((length, i) => Float64Array.from(ids, (_, k) => (k === i ? length : 0)));
  let memory: RuleMemory = {};
  let vector: ArrayLike<number> = [];
  for (let round = 0; round <= 16; round++) {
    const rows = rowsOf(round < 16 ? [1, 1, 1, 1, 1, 1] : [1, 1, 1, 1, 2, 5]);
    const context = { base: new Float64Array(6).fill(round), memory, memorySeed: 7 };
    const pipeline = [{ rule: 'watchful', f: 1, gate: 6 }] as const;
    const report = await aggregateCohort({ rows, clientIds: ids }, pipeline, context, compute);
    memory = report.nextState.memory!;
    vector = report.vector;
  }
  for (const [k, value] of [1, 1, 1, 1, 2, 4].entries()) assert.ok(Math.abs(vector[k]! - value / 6) < 1e-12);
});

test('with "suspect" one that has turned speaks at the median length until it is left out, and the others as before', async () => {
  // Six pulls that swing alike from e0 to e1, each with a part of its own; the last is twice as long and turns at round 20.
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const spoken = async (option: { readonly suspect?: number }) => {
    let memory: RuleMemory = {};
    for (let round = 0; ; round++) {
      const rows = ids.map((_, i) => {
        const factor = i < 5 ? 1 : round < 20 ? 2 : -2;
        const row = new Float64Array(d);
        row.set([factor * Math.cos(0.03 * round), factor * Math.sin(0.03 * round)]);
        row[2 + i] = factor;
        return row;
      });
      const base = Float64Array.from({ length: d }, (_, k) => (k === 0 ? round : 0));
      const pipeline = [{ rule: 'watchful', f: 0, ...option }] as const;
      const context = { base, memory, memorySeed: 7 };
      const { vector, nextState, diagnostics } = await aggregateCohort(
        { rows, clientIds: ids },
        pipeline,
        context,
        compute,
      );
      if (round === 40) {
        const own = ids.map((_, i) => 6 * vector[2 + i]!);
        return { own, suspects: (diagnostics.findings as Findings).suspects };
      }
      memory = nextState.memory!;
    }
  };
  const near = (own: readonly number[], wanted: readonly number[]) =>
    assert.ok(
      own.every((value, i) => Math.abs(value - wanted[i]!) < 1e-9),
      `${own}`,
    );
  const watched = await spoken({ suspect: 0.1 });
  assert.deepEqual(watched.suspects, [5]);
  near(watched.own, [1, 1, 1, 1, 1, -1]);
  const without = await spoken({});
  assert.deepEqual(without.suspects, []);
  near(without.own, [1, 1, 1, 1, 1, -2]);
});
