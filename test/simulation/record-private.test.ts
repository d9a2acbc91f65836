import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PlanInput, parsePlan } from '../../src/core/plan/plan.ts';
import { simulatePlan } from '../../src/simulation/index.ts';

const plan = (privacy: PlanInput['privacy']) =>
  parsePlan({
    model: { kind: 'softmax-regression', inputs: 6, classes: 3 },
    cohort: { expected: 3 },
    rounds: { count: 3 },
    aggregation: { pipeline: [{ rule: 'mean' }] },
    data: { holdoutShare: 0 },
    privacy,
  });

const byRecord = (epsilon: number) => plan({ mode: 'local', unit: 'record', epsilon, delta: 1e-4 });

describe('record-level privacy in a simulated world', () => {
  it('is a function of the seed, on the fast and the whole path, and its noise follows ε', async () => {
    const run = (epsilon: number, seed: number, path: 'fast' | 'whole' = 'fast') =>
      simulatePlan({ plan: byRecord(epsilon), seed, path });
    const [first, again, other, whole] = [await run(4, 1), await run(4, 1), await run(4, 2), await run(4, 1, 'whole')];
    assert.equal(first.status, 'completed', first.reason ?? '');
    assert.equal(whole.status, 'completed', whole.reason ?? '');
    assert.equal(first.modelHash, again.modelHash);
    assert.notEqual(first.modelHash, other.modelHash);
    const [weak, strong] = [await run(200, 1), await run(0.02, 1)];
    const accuracy = ({ rounds }: typeof weak) => rounds.at(-1)!.accuracy!;
    assert.ok(accuracy(weak) > accuracy(strong) + 0.1, `${accuracy(weak)} ${accuracy(strong)}`);
  });
});
