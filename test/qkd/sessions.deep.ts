// 100,000 sessions of two parties over simulated optics: equal keys or abort. Over all cores; a failing seed is named.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Tally } from './sessions.ts';

const workers = availableParallelism();
const kinds = { undisturbed: 40_000, tampered: 60_000 } as const;
const perTest = 10_000;

function runPart(kind: keyof typeof kinds, first: number, count: number): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('session-worker.ts', import.meta.url), { workerData: { kind, first, count } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** The seeds from `first` on, dealt over the workers. */
async function sessions(kind: keyof typeof kinds, first: number): Promise<Tally> {
  const share = Math.ceil(perTest / workers);
  const parts = Array.from({ length: workers }, (_, i) =>
    runPart(kind, first + i * share, Math.max(0, Math.min(share, perTest - i * share))),
  );
  const sum = (of: readonly Tally[], what: keyof Tally) => of.reduce((total, tally) => total + tally[what], 0);
  const done = await Promise.all(parts);
  return { sessions: sum(done, 'sessions'), keys: sum(done, 'keys'), touched: sum(done, 'touched') };
}

for (const [kind, total] of Object.entries(kinds) as [keyof typeof kinds, number][]) {
  for (let first = 0; first < total; first += perTest) {
    test(`equal keys or abort: ${perTest} ${kind} sessions from seed ${first}`, { timeout: 900_000 }, async (t) => {
      const { sessions: count, keys, touched } = await sessions(kind, first);
      t.diagnostic(`${count} sessions, ${keys} with equal keys, ${touched} with a message changed`);
      assert.equal(count, perTest);
      assert.ok(kind === 'undisturbed' ? keys > count / 10 : touched > count / 3);
    });
  }
}
