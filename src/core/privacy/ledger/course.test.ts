import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { epsilon } from '../accounting/epsilon.ts';
import { noiseMultiplier } from '../accounting/noise-multiplier.ts';
import type { Spending } from './budget.ts';
import { clampTo, type Course, isWithin, solveCourse, type Standing } from './course.ts';
import { bestFilterOrder } from './filter.ts';

const [q, T, budget, delta] = [0.1, 100, 8, 1e-5] as const;
const planned = noiseMultiplier({ epsilon: budget, delta, sampleRate: q, steps: T }).noiseMultiplier;
const order = bestFilterOrder(budget, delta, { noiseMultiplier: planned, sampleRate: q });
const now: Course = { noiseMultiplier: planned, sampleRate: q, rounds: T };

const spending = (steps: number, rule: 'plan' | 'filter' = 'plan'): Spending => ({
  grant: { kind: 'grant', subject: 's', purpose: 'p', epsilon: budget, delta, rule, order },
  committed: steps === 0 ? [] : [{ noiseMultiplier: planned, sampleRate: q, steps }],
  reserved: new Map(),
});

const standing = (over: Partial<Standing> = {}): Standing => ({
  now,
  plannedNoise: planned,
  released: 50,
  candidates: 100,
  cohort: 10,
  spending: spending(50),
  ...over,
});

const costOf = (course: Course, spent: number, released: number) =>
  epsilon({
    schedule: [
      { noiseMultiplier: planned, sampleRate: q, steps: spent },
      { ...course, steps: course.rounds - released },
    ],
    delta,
  }).epsilon;

describe('solveCourse()', () => {
  it('changes nothing where everything goes as planned', () => {
    const free = { sampleRate: [0.01, 1], rounds: [60, 200], noise: [0.1, 10] } as const;
    assert.deepEqual(solveCourse(standing(), free), { course: now, reasons: [] });
  });

  it('drop-outs leave budget over: less noise for the planned rounds, or more rounds at the planned noise', () => {
    const away = standing({ spending: spending(40) });
    const noise = solveCourse(away);
    assert.ok(noise.course.noiseMultiplier < 0.98 * planned);
    assert.deepEqual([noise.course.rounds, noise.course.sampleRate], [T, q]);
    assert.match(noise.reasons.join(), /^noiseMultiplier .* → .*: what is left of ε = 8 meets the 50 rounds/);
    const rounds = solveCourse(away, { rounds: [80, 200] });
    assert.equal(rounds.course.rounds, 110, '40 of 50 rounds were paid for: ten more are');
    assert.ok(rounds.course.noiseMultiplier <= planned && rounds.course.noiseMultiplier > 0.98 * planned);
    for (const { course } of [noise, rounds]) {
      const used = costOf(course, 40, 50);
      assert.ok(used <= budget && used > 0.985 * budget, `${used}`);
    }
  });

  it('fewer clients that are there: a larger sample rate keeps the cohort, at fewer rounds or more noise', () => {
    const thin = standing({ candidates: 80 });
    const { course, reasons } = solveCourse(thin, { sampleRate: [0.05, 0.2] });
    assert.ok(Math.abs(course.sampleRate - 0.125) < 1e-12, '10 of 80');
    assert.ok(course.noiseMultiplier > planned);
    assert.match(reasons[0]!, /^sampleRate 0.1 → 0.125: 80 clients were there, and 10 should contribute/);
    const shorter = solveCourse(thin, { sampleRate: [0.05, 0.2], rounds: [70, 100] }).course;
    assert.ok(shorter.rounds < T && shorter.rounds >= 70);
    assert.ok(shorter.noiseMultiplier <= planned);
    for (const one of [course, shorter])
      assert.ok(costOf(one, 50, 50) <= budget && costOf(one, 50, 50) > 0.97 * budget);
  });

  it('noise outside its range is not taken: the course stays', () => {
    const thin = standing({ candidates: 50 });
    const held = solveCourse(thin, { sampleRate: [0.05, 0.2], noise: [0.5 * planned, 1.01 * planned] });
    assert.deepEqual(held, { course: now, reasons: [] });
    const low = solveCourse(standing({ spending: spending(20) }), { noise: [0.99 * planned, 2] });
    assert.equal(low.course.noiseMultiplier, 0.99 * planned);
  });

  it('a filter is solved anew too, and nothing where a budget is used up', () => {
    const { course } = solveCourse(standing({ spending: spending(20, 'filter') }));
    assert.ok(course.noiseMultiplier < planned);
    assert.deepEqual(solveCourse(standing({ spending: spending(101) })), { course: now, reasons: [] });
  });

  it('whatever is asked: within the ranges and within the budget', () => {
    const cases = fc.record({
      spent: fc.integer({ min: 1, max: 50 }),
      candidates: fc.integer({ min: 10, max: 300 }),
      most: fc.integer({ min: 100, max: 140 }),
      top: fc.double({ min: 0.1, max: 0.4, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ spent, candidates, most, top }) => {
        const allowed = { sampleRate: [0.05, top], rounds: [70, most] } as const;
        const { course } = solveCourse(standing({ candidates, spending: spending(spent) }), allowed);
        assert.ok(isWithin(allowed.sampleRate, course.sampleRate) && isWithin(allowed.rounds, course.rounds));
        assert.ok(costOf(course, spent, 50) <= budget);
      }),
      { numRuns: process.env['QFLARE_DEEP'] === undefined ? 2 : 40, seed: 5 },
    );
    assert.equal(clampTo(undefined, 7), 7);
  });
});
