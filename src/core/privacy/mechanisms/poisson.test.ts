import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createRng } from '../../random/rng.ts';
import { poissonSampler } from './poisson.ts';
import { createIntegerSource } from './random-integers.ts';

/** Gives these words, then zeros. */
function scripted(...words: readonly number[]): Entropy {
  let at = 0;
  const fillBytes = (target: Uint8Array<ArrayBuffer>) =>
    void new Uint32Array(target.buffer).forEach((_, i, all) => (all[i] = words[at++] ?? 0));
  return { purpose: 'secret', fillBytes };
}

test('a number that begins as a step of the distribution function does is told apart by its further bits', () => {
  // P[0] = e⁻¹, P[≤ 1] = 2e⁻¹: the first 32 bits are those of the step, the next 96 say on which side of it.
  const ones = [0xffffffff, 0xffffffff, 0xffffffff];
  for (const [step, value] of [
    [Math.exp(-1), 0],
    [2 * Math.exp(-1), 1],
  ] as const) {
    const word = Math.floor(step * 2 ** 32);
    const draw = (...words: number[]) => poissonSampler(createIntegerSource(scripted(...words)), 1, 1)();
    assert.equal(draw(word, 0, 0, 0), value);
    assert.equal(draw(word, ...ones), value + 1);
    assert.equal(draw(word - 1, ...ones), value);
    assert.equal(draw(word + 1, 0, 0, 0), value + 1);
  }
  // e⁻¹ to 128 bits: a number that agrees with it in all of them needs a finer table, and gets one.
  const digits = BigInt(
    '36787944117144232159552377016146086744581113103176783450783680169746149574489980335714727434591964374662732527',
  );
  const bits = (digits << 128n) / 10n ** BigInt(digits.toString().length);
  const words = Array.from({ length: 4 }, (_, i) => Number((bits >> BigInt(96 - 32 * i)) & 0xffffffffn));
  const draw = (...words_: number[]) => poissonSampler(createIntegerSource(scripted(...words_)), 1, 1)();
  assert.equal(draw(...words, 0, 0, 0, 0), 0);
  assert.equal(draw(...words, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff), 1);
});

test('the top of the table is no end: a number just below 1 is some value far out', () => {
  const far = poissonSampler(createIntegerSource(scripted(...Array.from({ length: 4 }, () => 0xffffffff))), 3, 1)();
  assert.ok(far > 30 && far < 60, `${far}`);
});

test('mean and variance of small, fractional and large means, sums of tables too (six standard errors)', () => {
  const rng = createRng(31).child('poisson');
  const fillBytes = (target: Uint8Array) => void target.forEach((_, i) => (target[i] = rng.uint32()));
  const source = createIntegerSource({ purpose: 'secret', fillBytes });
  for (const [n, d] of [
    [1, 1000],
    [7, 2],
    [4001, 10],
    [5 * 2 ** 19, 1],
  ] as const) {
    const draw = poissonSampler(source, n, d);
    const mean = n / d;
    const draws = 10_000;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < draws; i++) {
      const x = draw() - mean;
      sum += x / draws;
      squares += (x * x) / draws;
    }
    assert.ok(Math.abs(sum) < 6 * Math.sqrt(mean / draws), `${mean}: mean off by ${sum}`);
    const error = 6 * mean * Math.sqrt((2 + 1 / mean) / draws);
    assert.ok(Math.abs(squares - mean) < error, `${mean}: variance ${squares}`);
  }
});
