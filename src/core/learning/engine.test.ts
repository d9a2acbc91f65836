import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  jobOf,
  largest,
  specs,
  testAgainstReference,
  testEngineLaws,
} from '../../../test/contracts/training-engine.ts';
import { createGraphEngine } from './graph/engine.ts';
import { createPlainRuntime } from './graph/plain-runtime.fixture.ts';
import { batchGradient, referenceEngine } from './reference/engine.ts';
import { createWasmEngine } from './wasm/engine.ts';

const wasm = createWasmEngine();
const graph = createGraphEngine(createPlainRuntime());

for (const [name, spec] of Object.entries(specs)) {
  test(`the reference's gradient of ${name} agrees with central differences to 1e-6`, () => {
    const { parameters, data } = jobOf(spec);
    const w = Float64Array.from(parameters);
    const indexes = [0, 1, 2, 3, 4];
    const { gradient } = batchGradient(spec, w, data, indexes);
    const h = 1e-5;
    const lossAt = (i: number, step: number) => batchGradient(spec, w.with(i, w[i]! + step), data, indexes).lossSum;
    const checked = Array.from(w.keys()).filter((i) => i % Math.ceil(w.length / 200) === 0);
    const differences = checked.map((i) => (lossAt(i, h) - lossAt(i, -h)) / (2 * h));
    const slopes = checked.map((i) => gradient[i]!);
    assert.ok(largest(slopes, differences) < 1e-6, String(largest(slopes, differences)));
  });
}

for (const engine of [wasm, graph]) testAgainstReference(engine.name, () => engine);
for (const engine of [referenceEngine, wasm, graph]) testEngineLaws(engine.name, () => engine);
