import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { forecastRotation, type Member } from './rotation-forecast.ts';

const fresh: Member = { taken: 0, since: Infinity, left: 3, away: 0, seen: 1000 };

test('one client that is always there runs out by the separation, by hand', () => {
  const rotation = { size: 1, participations: 3, separation: 4, roundsLeft: 20 };
  const [all] = forecastRotation([fresh], rotation, createRng(1))!;
  assert.ok(all!.median === 11, `rounds 1, 6 and 11: ${all!.median}`);
  const [two] = forecastRotation([{ ...fresh, taken: 1, since: 2 }], rotation, createRng(1))!;
  assert.equal(two!.median, 9, 'a round two ago: free again in round 4, then 9');
  const [out] = forecastRotation([{ ...fresh, left: 0 }], rotation, createRng(1))!;
  assert.deepEqual(out, { low: 0, median: 0, high: 0 });
  const [never] = forecastRotation([fresh], { ...rotation, roundsLeft: 10 }, createRng(1))!;
  assert.equal(never!.median, null, 'the run ends before');
  assert.equal(forecastRotation([fresh], { ...rotation, roundsLeft: 1e6 }, createRng(1)), undefined);
});

test('the 90 % interval covers 85 to 95 % of 120 seeded runs under participation limits with drop-outs', () => {
  const [clients, size, separation, participations, rounds, seen] = [24, 4, 3, 12, 70, 24] as const;
  let covered = 0;
  let finite = 0;
  for (let seed = 0; seed < 120; seed++) {
    const rng = createRng(seed).child('rotation');
    // A third of the clients is nearly always there and runs out before the run ends; the others come when they can.
    const presence = Array.from({ length: clients }, (_, i) => (i % 3 === 0 ? 0.8 : 0.2 + 0.3 * rng.float()));
    const state = presence.map(() => ({ taken: 0, last: -Infinity, away: 0, end: Infinity }));
    let forecast: ReturnType<typeof forecastRotation>;
    for (let round = 1; round <= rounds; round++) {
      if (round === seen + 1) {
        const members = state.map(({ taken, last, away }) => ({
          taken,
          away,
          seen,
          since: round - last,
          left: participations - taken,
        }));
        const rotation = { size, participations, separation, roundsLeft: rounds - seen };
        forecast = forecastRotation(members, rotation, createRng(seed))!;
      }
      const there = state.filter((client, i) => {
        if (rng.float() < presence[i]!) return true;
        client.away++;
        return false;
      });
      const free = there.filter(({ taken, last }) => taken < participations && round - last > separation);
      const chosen = rng.shuffleInPlace(free).sort((a, b) => a.taken - b.taken);
      for (const client of chosen.slice(0, size)) {
        client.taken++;
        client.last = round;
        if (client.taken === participations) client.end = round - seen;
      }
    }
    const { low, high } = forecast![0]!;
    const { end } = state[0]!;
    if (Number.isFinite(end)) finite++;
    if (end >= (low ?? Infinity) && end <= (high ?? Infinity)) covered++;
  }
  assert.ok(finite > 90, `${finite} ran out before the end`);
  assert.ok(covered / 120 >= 0.85 && covered / 120 <= 0.95, `${covered / 120}, ${finite}`);
});
