import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { invariants } from '../../src/simulation/world/invariants.ts';
import { mutants } from './mutants.ts';

/** A new attack or rule changes what seeds draw: the world that shows a fault may move to a seed nearby. */
const triesMax = 20;

type Report = {
  readonly seen: readonly { readonly invariants: readonly string[] }[];
  readonly stale: readonly string[];
};

function run(workerData: object): Promise<Report> {
  const worker = new Worker(new URL('./mutant-worker.ts', import.meta.url), { workerData });
  return new Promise<Report>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  }).finally(() => worker.terminate());
}

for (const { name, edits, caughtBy, seed, plan } of mutants) {
  test(`${name} is seen by ${caughtBy}`, async () => {
    const seeds = Array.from({ length: triesMax }, (_, i) => seed + i);
    const { seen, stale } = await run({ edits, seeds, caughtBy, plan });
    assert.deepEqual(stale, [], 'text that is no longer in the source');
    const all = new Set(seen.flatMap(({ invariants }) => invariants));
    assert.ok(all.has(caughtBy), `seen by ${[...all].join(', ') || 'nobody'}`);
  });
}

test('without a fault the same seeds break nothing', async () => {
  const seeds = [...new Set(mutants.map(({ seed }) => seed))];
  const { seen } = await run({ edits: [], seeds });
  assert.deepEqual(
    seen.flatMap((one) => one.invariants),
    [],
  );
});

test('every invariant has a fault that it sees', () => {
  const seen = new Set<string>(mutants.map(({ caughtBy }) => caughtBy));
  assert.deepEqual(
    Object.keys(invariants).filter((id) => !seen.has(id)),
    [],
  );
});
