import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { simulatePlan } from '../../src/simulation/index.ts';
import { optionalPackages, requirePackage } from '../../tools/gates/require-tool.ts';

const plan = (engine: 'built-in' | 'onnx') =>
  parsePlan({
    model: { kind: 'mlp', layers: [4, 6, 3] },
    training: { engine },
    rounds: { count: 2 },
    cohort: { expected: 4 },
    aggregation: { pipeline: [{ rule: 'mean' }] },
  } satisfies PlanInput);

test('a run with training.engine onnx, on this thread and on workers, ends with nearly the built-in model', async (t) => {
  if (!requirePackage(t, 'onnxruntime-node')) return;
  const before = process.cwd();
  process.chdir(optionalPackages);
  try {
    const run = (engine: 'built-in' | 'onnx', threads: number) =>
      simulatePlan({ plan: plan(engine), seed: 3, path: 'fast', faults: 'none', crypto: 'simulated', threads });
    const [builtIn, here, workers] = [await run('built-in', 0), await run('onnx', 0), await run('onnx', 2)];
    assert.equal(here.modelHash, workers.modelHash);
    const [a, b] = [builtIn.rounds.at(-1)!.loss!, here.rounds.at(-1)!.loss!];
    assert.ok(Math.abs(a - b) < 1e-3, `${a} and ${b}`);
    assert.notEqual(here.modelHash, builtIn.modelHash);
  } finally {
    process.chdir(before);
  }
});
