import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { optionalPackages, requirePackage } from '../../tools/gates/require-tool.ts';
import { testGraphCompute } from '../../test/contracts/graph-compute.ts';
import { testAgainstReference, testEngineLaws } from '../../test/contracts/training-engine.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { createGraphEngine } from '../core/learning/graph/engine.ts';
import { createOnnxRuntime } from './graph-runtime-onnx.ts';

let engine: TrainingEngine | undefined;

function onnx(t: TestContext): TrainingEngine | undefined {
  if (!requirePackage(t, 'onnxruntime-node')) return undefined;
  engine ??= createGraphEngine(createOnnxRuntime([optionalPackages]));
  return engine;
}

testGraphCompute('onnx', (t) =>
  requirePackage(t, 'onnxruntime-node') ? createOnnxRuntime([optionalPackages]) : undefined,
);
testAgainstReference('onnx', onnx);
testEngineLaws('onnx', onnx);

test('a runtime that is not installed is refused with the command that installs it', () => {
  assert.throws(
    () => createOnnxRuntime(['/no/such/project']),
    (error: Error) =>
      error instanceof RangeError &&
      /must be installed \(ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node\)/.test(error.message) &&
      /not found from \/no\/such\/project/.test(error.message),
  );
});
