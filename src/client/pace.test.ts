import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVolatileSiteMemory } from '../adapters/site-memory-volatile.ts';
import { parsePlan, type PlanInput } from '../core/plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { Trainer, TrainerTask } from '../ports/trainer.ts';
import { createPaceKeeper } from './pace.ts';

let nowMs = 0;
const clock: Clock = { monotonicMs: () => nowMs, wallMs: () => nowMs, sleep: async () => {} };
const task: TrainerTask = { parameters: new Float32Array(2), round: 1, seed: 1 };

/** A site that needs 10 ms for each sample, and has 100 of them. */
function site(training: PlanInput['training'], told: Partial<Trainer> = {}, memory = createVolatileSiteMemory()) {
  const asked: (TrainerTask['pace'] | undefined)[] = [];
  const trainer: Trainer = {
    async train({ parameters, pace }) {
      asked.push(pace);
      const steps = Math.min(10, pace?.stepsMax ?? 10);
      nowMs += 10 * steps * (pace?.batchSize ?? 10);
      return { parameters, examples: 100, steps };
    },
    evaluate: async () => ({ examples: 0, lossSum: 0, correctCount: 0 }),
    ...told,
  };
  const plan = parsePlan({
    model: { kind: 'softmax-regression', inputs: 1, classes: 2 },
    training: { batchSize: 10, ...training },
  });
  return { memory, asked, keeper: createPaceKeeper({ plan, trainer, memory, clock }) };
}

/** One round: what it trains, then 200 ms on the line. */
async function round({ keeper }: ReturnType<typeof site>): Promise<void> {
  const pace = await keeper.next();
  await keeper.train({ ...task, ...(pace === undefined ? {} : { pace }) });
  await keeper.transferring(async () => void (nowMs += 200));
  await keeper.settle();
}

test('a site trains as the plan says until it has measured itself; then its round takes the time that is wanted', async () => {
  const one = site({ adaptive: { roundSeconds: 0.71, stepsMin: 2 } });
  await round(one);
  await round(one);
  // 0.71 − 0.2 s are 51 samples of 10 ms: five steps of ten.
  assert.deepEqual(one.asked, [undefined, { stepsMax: 5, batchSize: 10 }]);
  assert.ok(Math.abs((await one.keeper.claim())! - 0.7) < 1e-9);
  // After a restart it knows.
  const again = site({ adaptive: { roundSeconds: 0.71, stepsMin: 2 } }, {}, one.memory);
  await round(again);
  assert.deepEqual(again.asked, [{ stepsMax: 5, batchSize: 10 }]);
});

test('a trainer that can tell beforehand spares the first round the guess', async () => {
  const told = site({ adaptive: { roundSeconds: 0.3 } }, { secondsPerSample: async () => 0.01, sampleCount: 100 });
  assert.deepEqual(await told.keeper.next(), { stepsMax: 8, batchSize: 3 });
  assert.equal(await told.keeper.claim(), 1);
});

test('where the plan asks for nothing, nothing is claimed, adapted or kept', async () => {
  const plain = site({});
  await round(plain);
  assert.equal(await plain.keeper.claim(), undefined);
  assert.equal(await plain.keeper.next(), undefined);
  assert.equal(await plain.memory.read('pace'), undefined);
});
