import type { GraphRuntime } from '../../ports/graph-runtime.ts';
import { readOnnx } from '../learning/graph/onnx-reader.fixture.ts';

/** Runs products A Bᵀ alone, summed in float32 over runs of 256 as libraries do: fast enough for many rows. */
export function createFloat32Runtime(): GraphRuntime {
  return {
    name: 'float32',
    async load(bytes) {
      const { nodes } = readOnnx(bytes);
      return {
        bind: (inputs, outputs) => async () => {
          for (const { inputs: names, outputs: results } of nodes) {
            const [a, b] = [inputs[names[0]!]!, inputs[names[1]!]!];
            multiply(
              a.data as Float32Array,
              b.data as Float32Array,
              a.shape[1]!,
              outputs[results[0]!]!.data as Float32Array,
            );
          }
        },
      };
    },
  };
}

function multiply(a: Float32Array, b: Float32Array, k: number, out: Float32Array): void {
  const [rows, columns] = [a.length / k, b.length / k];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let total = 0;
      for (let start = 0; start < k; start += 256) {
        let sum = 0;
        const end = Math.min(k, start + 256);
        for (let c = start; c < end; c++) sum = Math.fround(sum + a[i * k + c]! * b[j * k + c]!);
        total = Math.fround(total + sum);
      }
      out[i * columns + j] = total;
    }
  }
}
