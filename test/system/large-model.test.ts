import { test } from 'node:test';
import { trainOverCutLine } from './large-model.ts';

test('a model of 8 MB through a line that is cut ten times: downloads and uploads go on where they were cut', async (t) => {
  const { lines } = await trainOverCutLine(8_000_000);
  t.diagnostic(lines);
});
