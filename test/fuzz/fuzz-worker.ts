// Runs fuzz cases on a thread of its own, so that a case that hangs can be told from outside. What it is at stands in
// the shared numbers: the target, the case, and how many are done.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { createRng } from '../../src/core/random/rng.ts';
import { fileTargets } from './file-targets.ts';
import { messageTargets } from './message-targets.ts';
import { Finding, type Target } from './target.ts';
import { wireTargets } from './wire-targets.ts';

const targets: Readonly<Record<string, Target>> = { ...wireTargets, ...fileTargets, ...messageTargets };
const { seed, cases, only, shared } = workerData as {
  readonly seed: number;
  readonly cases: number;
  readonly only: { readonly target: string; readonly index: number } | null;
  readonly shared: SharedArrayBuffer;
};
const progress = new Int32Array(shared);
const names = Object.keys(targets);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is alive after a collection, in bytes. What native code gives back at the end of a turn gets its turn first. */
async function aliveBytes(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The problem of one case, or whether its input was accepted. */
async function runCase(name: string, index: number): Promise<boolean | string> {
  const target = targets[name]!;
  const input = target.make(createRng(seed).child('fuzz', name, index));
  try {
    return await target.read(input as never);
  } catch (error) {
    if (error instanceof Finding) return error.message;
    if (target.errors.some((kind) => error instanceof kind)) return false;
    return `threw ${(error as Error).stack ?? String(error)}`;
  }
}

const total = Object.values(targets).reduce((sum, { weight }) => sum + weight, 0);
const reports: object[] = [];
for (const [t, name] of names.entries()) {
  if (only !== null && only.target !== name) continue;
  const count = only === null ? Math.ceil((cases * targets[name]!.weight) / total) : 1;
  const warm = Math.min(count >> 2, 2000);
  const begunMs = performance.now();
  let accepted = 0;
  let before = 0;
  let slowestMs = 0;
  for (let i = 0; i < count; i++) {
    if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (i === warm) before = await aliveBytes();
    const index = only?.index ?? i;
    progress[0] = t;
    progress[1] = index;
    Atomics.add(progress, 2, 1);
    const startMs = performance.now();
    const outcome = await runCase(name, index);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    if (typeof outcome === 'string')
      parentPort!.postMessage({ kind: 'finding', target: name, index, problem: outcome });
    else if (outcome) accepted += 1;
  }
  const seconds = (performance.now() - begunMs) / 1000;
  reports.push({ target: name, cases: count, accepted, seconds, slowestMs, grownBytes: (await aliveBytes()) - before });
}
parentPort!.postMessage({ kind: 'done', names, reports });
