import { createWorkerCompute } from '../../src/adapters/compute-workers.ts';
import { medianRanks } from '../../src/core/aggregation/median.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { cpuMs, inTurn, type Least, own, type Subject } from './clock.ts';
import { fill } from './fill.ts';
import type { Threads } from './result.ts';

const [n, d] = [100, 1_000_000];

/**
 * Whole passes on one worker thread and on two, in turn: wall time, which needs both cores to be free, and processor time of
 * all threads, which does not.
 */
export async function timeThreads(budgetMs: number): Promise<Threads> {
  const sides = [createWorkerCompute(1), createWorkerCompute(2)].map((compute) => {
    const { rows } = compute.allocate(n, d);
    fill(rows, createRng(1));
    const [into] = compute.allocate(1, d).rows;
    const weights = new Float64Array(n).fill(1 / n);
    return {
      compute,
      passes: {
        'weighted mean': () => compute.combine(rows, weights, { dots: false, into }),
        median: () => compute.columns(rows, null, medianRanks(n), { dots: false, into }),
        Gram: () => compute.gram(rows),
      },
    };
  });
  const result: Record<string, Threads[string]> = {};
  for (const name of ['weighted mean', 'median', 'Gram'] as const) {
    const least: Least = new Map();
    const subjects = new Map<string, Subject>();
    for (const [i, { passes }] of sides.entries()) {
      await passes[name]();
      subjects.set(
        `wall ${i}`,
        own(passes[name], () => performance.now()),
      );
      subjects.set(`work ${i}`, own(passes[name], cpuMs));
    }
    for (let again = 0; again < 4; again++) await inTurn(subjects, budgetMs, least);
    const [one, two, workOne, workTwo] = ['wall 0', 'wall 1', 'work 0', 'work 1'].map((each) => least.get(each)!);
    result[name] = { one: one!, two: two!, speedup: one! / two!, byWork: (2 * workOne!) / workTwo! };
  }
  await Promise.all(sides.map(({ compute }) => compute.close()));
  return result;
}
