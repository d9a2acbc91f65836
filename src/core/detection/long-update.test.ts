import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibration } from './calibration.ts';
import { useCalibration } from './limits.ts';
import { longUpdate } from './long-update.ts';
import { unmeasured } from './measure/features.ts';
import { withTimes } from './measure/standing.ts';

/** A cohort of five; the last one as long as given, with this history of lengths over the median. */
function lastOf(norm: number, times: readonly number[]) {
  const observations = [1, 1, 1, 1, norm].map((length, i) => ({
    clientId: String(i),
    norm: length,
    cosine: 1,
    othersCosine: null,
    trail: (i === 4 ? times : [1]).map((value) => ({ times: Math.log(value) })),
  }));
  // Horizons are 1, 2, 4, 10, 20: without an attack 5, 4, 3.5, 3 and 2 times were the most, so 6, 4.8, 4.2, 3.6, 2.5 flag.
  useCalibration({ ...calibration, lengths: calibration.cohorts.map(() => [5, 4, 3.5, 3, 2]) });
  try {
    return longUpdate.suspect(observations, 1)[4]!;
  } finally {
    useCalibration(calibration);
  }
}

const near = (actual: number, wanted: number) => assert.ok(Math.abs(actual - wanted) < 1e-9, `${actual}, ${wanted}`);
const rounds = (count: number, times: number) => Array.from({ length: count }, () => times);

test('one round flags from 1.2 times the longest that was seen without an attack', () => {
  near(lastOf(6, [6]).value, 1);
  assert.ok(lastOf(5.9, [5.9]).value < 1);
  assert.match(lastOf(7, []).reasons()[0]!, /^the update is 7 times/);
});

test('of what lasts less is enough, each horizon by itself, and of a short history nothing is said', () => {
  const lasting = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 2.5 : 6.4));
  const { value, reasons } = lastOf(4, lasting);
  near(value, 4 / 3.6);
  assert.deepEqual(reasons(), ["the updates were 4 times as long as the cohort's median over the last 10 rounds"]);
  // The last four: 4 of 4.2. Nine rounds are no ten.
  near(lastOf(4, lasting.slice(1)).value, 4 / 4.2);
  near(lastOf(3, rounds(19, 3)).value, 3 / 3.6);
  near(lastOf(3, rounds(20, 3)).value, 3 / 2.5);
});

test('2.5 times the median is left alone, however alike the lengths of honest clients were', () => {
  assert.ok(lastOf(2.4, rounds(20, 2.4)).value < 1);
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
