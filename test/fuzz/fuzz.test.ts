import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('6,000 mutated envelopes, plans, models, tables and messages: no reader throws, hangs or keeps memory', async (t) => {
  for (const line of await fuzz(Number(process.env['QFLARE_SEED'] ?? 1), 6000)) t.diagnostic(line);
});
