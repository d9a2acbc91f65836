import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('a million mutated envelopes, plans, models, tables and messages: no reader throws, hangs or keeps memory', {
  timeout: 1_800_000,
}, async (t) => {
  const begunMs = performance.now();
  for (const line of await fuzz(Number(process.env['QFLARE_SEED'] ?? 2), 1_000_000)) t.diagnostic(line);
  const seconds = (performance.now() - begunMs) / 1000;
  t.diagnostic(`a million cases in ${seconds.toFixed(0)} s: ${Math.round(1e6 / seconds)} a second on one thread`);
});
