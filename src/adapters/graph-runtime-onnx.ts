import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { GraphRuntime, GraphTensor, GraphTensors } from '../ports/graph-runtime.ts';

/** The part of `onnxruntime-node` that is used. */
type OnnxRuntime = {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: GraphTensor['data'], shape: readonly number[]) => OnnxTensor;
};
type OnnxTensor = { readonly dims: readonly number[] };
type OnnxSession = {
  run(feeds: Record<string, OnnxTensor>, fetches: Record<string, OnnxTensor>): Promise<unknown>;
};

const advice = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node';

/**
 * Runs graphs in `onnxruntime-node`, an optional package of the user's, on one thread.
 *
 * `folders` are project folders whose node_modules are searched, in order; each search ends with NODE_PATH.
 * Errors: RangeError where the package is nowhere.
 */
export function createOnnxRuntime(folders: readonly string[]): GraphRuntime {
  const { InferenceSession, Tensor } = loadPackage(folders);
  const wrap = (tensors: GraphTensors): Record<string, OnnxTensor> =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { data, shape }]) => [
        name,
        new Tensor(data instanceof Uint8Array ? 'uint8' : 'float32', data, shape),
      ]),
    );
  const options = {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  };
  return {
    name: 'onnx',
    async load(model) {
      const session = await InferenceSession.create(model, options);
      return {
        bind(inputs, outputs) {
          const [feeds, fetches] = [wrap(inputs), wrap(outputs)];
          return async () => void (await session.run(feeds, fetches));
        },
      };
    },
  };
}

function loadPackage(folders: readonly string[]): OnnxRuntime {
  for (const folder of folders) {
    try {
      return createRequire(join(folder, 'package.json'))('onnxruntime-node') as OnnxRuntime;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new RangeError(
    `Cannot use the engine onnx as the package onnxruntime-node must be installed (${advice}): ` +
      `current value is not found from ${folders.join(', ')}`,
  );
}
