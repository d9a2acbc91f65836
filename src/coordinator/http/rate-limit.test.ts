import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit } from './rate-limit.ts';

test('a bucket of 3 that gains 2 a second: three at once, then one each half second, others untouched', () => {
  let now = 0;
  const limit = createRateLimit(() => now, { burst: 3, perSecond: 2 });
  const take = (address = 'a') => limit.take(address);
  assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
  assert.equal(take('b'), true);
  now = 400;
  assert.equal(take(), false);
  now = 600;
  assert.deepEqual([take(), take()], [true, false]);
  now = 60_000;
  assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
});

test('a flood from many addresses does not fill the memory: the oldest are forgotten', () => {
  const limit = createRateLimit(() => 0, { burst: 1, perSecond: 1 });
  for (let i = 0; i < 30_000; i++) assert.equal(limit.take(`address-${i}`), true);
  assert.equal(limit.take('address-29999'), false);
  assert.equal(limit.take('address-0'), true);
});
