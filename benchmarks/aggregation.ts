// Measures the aggregation engine beside numpy and, where onnxruntime-node is there, with its matrix product.
// Usage: aggregation.ts [--json] [--shapes 10x1e6,100x1e6] [--budget-ms N] [--no-spooled] [--no-threads]
// Single-thread figures are CPU time, best of the repeats, both sides in turn; each shape runs in a process of its own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { distanceError } from './aggregation/distances.ts';
import { render } from './aggregation/render.ts';
import type { AggregationReport, ShapeResult, Spooled } from './aggregation/result.ts';
import { timeThreads } from './aggregation/threads.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    shapes: { type: 'string', default: '10x1e5,10x1e6,10x1e7,100x1e5,100x1e6,100x1e7,1000x1e5,1000x1e6' },
    'budget-ms': { type: 'string', default: '2000' },
    spooled: { type: 'boolean', default: true },
    threads: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const budgetMs = Number(options['budget-ms']);
const shapes: ShapeResult[] = [];
for (const shape of options.shapes.split(',').filter((text) => text !== '')) {
  const [n, d] = shape.split('x').map(Number) as [number, number];
  shapes.push(child<ShapeResult>('aggregation-shape.ts', n, d, budgetMs));
}
const report: AggregationReport = {
  shapes,
  distanceError: await distanceError(),
  threads: options.threads ? await timeThreads(budgetMs) : null,
  spooled: options.spooled ? child<Spooled>('aggregation-spooled.ts', 100, 10_000_000) : null,
};
process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));

/** Runs a program of this folder and reads the JSON that it prints. */
function child<T>(program: string, n: number, d: number, ...more: number[]): T {
  process.stderr.write(`${program.replace('.ts', '')} ${n} × ${d} …\n`);
  const run = spawnSync(process.execPath, [join(import.meta.dirname, program), ...[n, d, ...more].map(String)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`Cannot measure ${n} × ${d} as ${program} ended with ${run.status}`);
  return JSON.parse(run.stdout) as T;
}
