import process from 'node:process';
import { createOnnxRuntime } from '../adapters/graph-runtime-onnx.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import { createGraphEngine } from '../core/learning/graph/engine.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { TrainingEngineId } from '../core/plan/training.ts';

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

const makers: Record<TrainingEngineId, () => TrainingEngine> = {
  'built-in': createWasmEngine,
  onnx: () => createGraphEngine(createOnnxRuntime([process.cwd(), import.meta.dirname])),
};
