import { test } from 'node:test';
import { trainOverCutLine } from './large-model.ts';

test('a model of 500 MB through a line that is cut ten times', { timeout: 900_000 }, async (t) => {
  const { lines } = await trainOverCutLine(500_000_000);
  t.diagnostic(lines);
});
