import { availableParallelism } from 'node:os';
import { measureMutation, type MutationReport } from './measure.ts';

/** The mutation score of src/core, by the tests that lie in it and those of vectors and protocol. */
export function measureCore(
  root: string,
  options: {
    readonly sample: number;
    readonly seed: number;
    readonly under?: string;
    readonly cache?: string;
    readonly say?: (text: string) => void;
    readonly secondsMax?: number;
  },
): Promise<MutationReport> {
  const { under = '', ...rest } = options;
  return measureMutation({
    ...rest,
    root,
    mutate: ['src/core/**/*.ts'],
    tests: ['src/core/**/*.test.ts', 'test/vectors/*.test.ts', 'test/protocol/*.test.ts'],
    helpers: ['src/**/*.ts', 'test/**/*.ts'],
    // Assembly is compiled, not loaded; fixtures are for tests.
    isMutated: (path) => path.includes(under) && !/\/kernels\/|\.fixture\.ts$/.test(path),
    concurrency: availableParallelism(),
  });
}
