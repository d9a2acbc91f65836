import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

/** Parts of rules in benchmarks/aggregation_numpy.py. */
export type Part =
  | 'mean'
  | 'norms'
  | 'median'
  | 'trimmedMean'
  | 'product'
  | 'flowerMean'
  | 'flowerKept'
  | 'flowerMedian'
  | 'flowerTrimmedMean'
  | 'loop';

/** numpy on one thread, in a process of its own, with rows of its own. */
export type Numpy = { readonly version: string; timeMs(part: Part): Promise<number>; close(): void };

/** Null where python3 has no numpy. QFLARE_PYTHON names another python. */
export async function startNumpy(n: number, d: number): Promise<Numpy | null> {
  // A core type or cache size pinned from outside would make OpenBLAS slower than the machine allows.
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...environment } = process.env;
  const script = join(import.meta.dirname, '../aggregation_numpy.py');
  const child = spawn(process.env['QFLARE_PYTHON'] ?? 'python3', [script, String(n), String(d)], {
    env: { ...environment, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hello = await lines.next();
  if (hello.done === true) return null;
  return {
    version: JSON.parse(hello.value) as string,
    async timeMs(part) {
      child.stdin.write(`${part}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error(`Cannot time ${part} as numpy has ended`);
      return Number(answer.value) * 1000;
    },
    close: () => child.stdin.end(),
  };
}
