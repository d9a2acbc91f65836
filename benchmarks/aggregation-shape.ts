// Measures every rule on one shape in a process of its own and prints JSON; `npm run bench:aggregation` runs it by shape.
// Usage: node benchmarks/aggregation-shape.ts ROWS COLUMNS BUDGET_MS
import { join } from 'node:path';
import process from 'node:process';
import { createOnnxRuntime } from '../src/adapters/graph-runtime-onnx.ts';
import { aggregateCohort } from '../src/core/aggregation/aggregate.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createGraphCompute } from '../src/core/vector/graph-compute.ts';
import { createWasmCompute } from '../src/core/vector/wasm.ts';
import type { Compute } from '../src/ports/compute.ts';
import { bandwidthMeter } from './aggregation/bandwidth.ts';
import { inTurn, type Least, own, type Subject } from './aggregation/clock.ts';
import { fill } from './aggregation/fill.ts';
import { type Part, startNumpy } from './aggregation/numpy.ts';
import { type MeasuredRule, measuredRules } from './aggregation/rules.ts';
import type { RuleResult, ShapeResult } from './aggregation/result.ts';

/** Cells from which on a second copy of the rows, numpy's sorting or Flower's copies would need too much memory or time. */
const cellsMax = 2e8;
/** n² d from which on distances pair by pair take too long. */
const pairsMax = 2e10;
/** Rows from which on the native product is used. */
const nativeRowsMin = 64;

const [n, d, budgetMs] = process.argv.slice(2).map(Number) as [number, number, number];
const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;
const rules = measuredRules(n);
const builtIn = side(createWasmCompute());
for (const rule of rules) await builtIn.run(rule);
const peak = peakMegabytes();
const native = n >= nativeRowsMin && n * d <= cellsMax ? nativeSide() : null;
const numpy = await startNumpy(n, d);
const { gigabytesPerSecond, ...bandwidth } = bandwidthMeter(n * d);
const least: Least = new Map();
const pieces: readonly [MeasuredRule | null, Map<string, Subject>][] = [
  [null, new Map([['gram', own(() => builtIn.compute.gram(builtIn.rows))]])],
  ...rules.map((rule): [MeasuredRule, Map<string, Subject>] => [rule, subjectsOf(rule)]),
];
for (const [rule, subjects] of pieces) {
  if (rule?.isGram === true && native !== null) await native.run(rule);
  await inTurn(new Map([...subjects, ...Object.entries(bandwidth)]), budgetMs, least);
}
numpy?.close();
process.stdout.write(`${JSON.stringify(resultOf())}\n`);

/** Rows in the memory of a compute, and a run of a rule on them. */
function side(compute: Compute): {
  compute: Compute;
  rows: readonly Float32Array[];
  run(rule: MeasuredRule): Promise<unknown>;
} {
  const { rows } = compute.allocate(n, d);
  fill(rows, createRng(1));
  const [into] = compute.allocate(1, d).rows;
  return {
    compute,
    rows,
    run: ({ pipeline }) => aggregateCohort({ rows, into, hasDiagnostics: false }, pipeline, {}, compute),
  };
}

/** The rules with distances by onnxruntime-node: from tools/optional or where the command was started; else null. */
function nativeSide(): ReturnType<typeof side> | null {
  try {
    return side(createGraphCompute(createOnnxRuntime([join(import.meta.dirname, '../tools/optional'), process.cwd()])));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function subjectsOf(rule: MeasuredRule): Map<string, Subject> {
  const subjects = new Map<string, Subject>([[`rule ${rule.name}`, own(() => builtIn.run(rule))]]);
  if (rule.isGram && native !== null)
    subjects.set(
      `native ${rule.name}`,
      own(() => native.run(rule)),
    );
  if (numpy === null) return subjects;
  for (const part of [...rule.numpy, ...rule.flower].filter(isWorthIt)) {
    // The loop is far slower than all the rest: twice in the whole run.
    subjects.set(`numpy ${part}`, {
      run: () => numpy.timeMs(part),
      most: part === 'loop' ? Number(!least.has(`numpy ${part}`)) * 2 : 12,
    });
  }
  return subjects;
}

function isWorthIt(part: Part): boolean {
  if (part === 'loop') return n * n * d <= pairsMax;
  return n * d <= cellsMax || part === 'mean' || part === 'norms' || part === 'product';
}

/** The sum of the parts; null without parts, or where one was not run. */
function sumOf(parts: readonly Part[]): number | null {
  if (parts.length === 0 || parts.some((part) => !least.has(`numpy ${part}`))) return null;
  return parts.reduce((sum, part) => sum + least.get(`numpy ${part}`)!, 0);
}

function resultOf(): ShapeResult {
  const readGigabytes = gigabytesPerSecond(least.get('read')!);
  const copyGigabytes = gigabytesPerSecond(least.get('copy')!);
  const ratio = (peerMs: number | null, ms: number | null): number | null => {
    return peerMs === null || ms === null ? null : peerMs / ms;
  };
  const results = rules.map((rule): RuleResult => {
    const ms = least.get(`rule ${rule.name}`)!;
    const nativeMs = least.get(`native ${rule.name}`) ?? null;
    const gigabytes = (4 * n * d * rule.passes) / ms / 1e6;
    return {
      rule: rule.name,
      ms,
      timesMean: ms / least.get('rule mean')!,
      gigabytesPerSecond: gigabytes,
      shareOfRead: gigabytes / readGigabytes,
      shareOfCopy: gigabytes / copyGigabytes,
      flower: ratio(sumOf(rule.flower), ms),
      numpy: ratio(sumOf(rule.numpy), ms),
      nativeMs,
      nativeFlower: ratio(sumOf(rule.flower), nativeMs),
      nativeNumpy: ratio(sumOf(rule.numpy), nativeMs),
    };
  });
  return {
    n,
    d,
    readGigabytes,
    copyGigabytes,
    gramGigaflops: (n * (n + 1) * d) / least.get('gram')! / 1e6,
    cohortMegabytes: (4 * n * d) / 2 ** 20,
    peakMegabytes: peak,
    numpy:
      numpy === null
        ? null
        : { version: numpy.version, productGigaflops: (n * (n + 1) * d) / least.get('numpy product')! / 1e6 },
    rules: results,
  };
}
