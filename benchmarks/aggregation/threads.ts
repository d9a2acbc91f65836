import { createWorkerCompute } from '../../src/adapters/compute-workers.ts';
import { medianRanks } from '../../src/core/aggregation/median.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { inTurn, type Least, own, type Subject } from './clock.ts';
import { fill } from './fill.ts';
import type { Threads } from './result.ts';

const [n, d] = [100, 1_000_000];

/** Wall time of whole passes on one worker thread and on two, in turn. */
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
  const wall = (): number => performance.now();
  const result: Record<string, Threads[string]> = {};
  for (const name of ['weighted mean', 'median', 'Gram'] as const) {
    const least: Least = new Map();
    const subjects = new Map(sides.map(({ passes }, i): [string, Subject] => [String(i), own(passes[name], wall)]));
    for (const { passes } of sides) await passes[name]();
    for (let again = 0; again < 4; again++) await inTurn(subjects, budgetMs, least);
    const [one, two] = [least.get('0')!, least.get('1')!];
    result[name] = { one, two, speedup: one / two };
  }
  await Promise.all(sides.map(({ compute }) => compute.close()));
  return result;
}
