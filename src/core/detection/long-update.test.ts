import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longUpdate } from './long-update.ts';
import { unmeasured } from './measure/features.ts';
import { withTimes } from './measure/standing.ts';

/** A cohort of five; the last one as long as given, with this history. */
function cohort(norm: number, times: readonly number[]) {
  return [1, 1, 1, 1, norm].map((length, i) => ({
    clientId: String(i),
    norm: length,
    cosine: 1,
    othersCosine: null,
    trail: (i === 4 ? times : [0]).map((value) => ({ times: value })),
  }));
}

const lastOf = (norm: number, times: readonly number[]) => longUpdate.suspect(cohort(norm, times), 1)[4]!;

test('one round flags from five times the median on', () => {
  assert.equal(lastOf(5, [Math.log(5)]).value, 1);
  assert.ok(lastOf(4.9, [Math.log(4.9)]).value < 1);
  assert.match(lastOf(6, []).reasons()[0]!, /^the update is 6 times/);
});

test('what lasts over ten rounds flags from three and a half times on, and nothing shorter does', () => {
  const lasting = Array.from({ length: 10 }, (_, i) => Math.log(i % 2 === 0 ? 2.5 : 6.4));
  const { value, reasons } = lastOf(4, lasting);
  assert.ok(Math.abs(value - 4 / 3.5) < 1e-9);
  assert.deepEqual(reasons(), ["the updates were 4 times as long as the cohort's median over the last 10 rounds"]);
  assert.ok(lastOf(4, lasting.slice(1)).value < 1);
  assert.ok(
    lastOf(
      3,
      lasting.map(() => Math.log(3)),
    ).value < 1,
  );
});

test('withTimes() tells lengths as logarithms over the median, and nothing of two clients', () => {
  const measured = [Math.log(2), Math.log(4), Number.NaN, Math.log(40)].map((norm) => ({ ...unmeasured, norm }));
  assert.deepEqual(withTimes([{}, { cosine: 1 }, {}, {}], measured), [
    { times: -0.69 },
    { cosine: 1, times: 0 },
    {},
    { times: 2.3 },
  ]);
  assert.deepEqual(withTimes([{}, {}], measured.slice(0, 2)), [{}, {}]);
});
