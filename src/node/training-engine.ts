import process from 'node:process';
import { createOnnxRuntime } from '../adapters/graph-runtime-onnx.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { createGraphEngine } from '../core/learning/graph/engine.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { TrainingEngineId } from '../core/plan/training.ts';
import type { GraphRuntime } from '../ports/graph-runtime.ts';

const made = new Map<TrainingEngineId, TrainingEngine>();

/**
 * The engine of this thread: made once, since its memory and its compiled graphs serve every job.
 *
 * Errors: RangeError where the engine is a package that is not installed in the folder where the program was started.
 */
export function trainingEngine(id: TrainingEngineId): TrainingEngine {
  const engine = made.get(id) ?? makers[id]();
  made.set(id, engine);
  return engine;
}

/** The optional runtime, from the folder where the program was started or beside QFLARE. */
export function findOnnxRuntime(): GraphRuntime {
  return createOnnxRuntime([process.cwd(), import.meta.dirname]);
}

const makers: Record<TrainingEngineId, () => TrainingEngine> = {
  'built-in': createWasmEngine,
  onnx: () => createGraphEngine(findOnnxRuntime()),
};
