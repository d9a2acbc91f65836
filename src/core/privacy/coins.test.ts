import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../ports/entropy.ts';
import { createRng } from '../random/rng.ts';
import { flipCoins } from './coins.ts';

const rng = createRng(9);
const entropy: Entropy = {
  purpose: 'secret',
  fillBytes: (target) => void target.forEach((_, i) => (target[i] = rng.uint32())),
};

test('flipCoins() includes each candidate independently with the rate', () => {
  const rounds = 4000;
  let both = 0;
  const counts = { a: 0, b: 0 };
  for (let round = 0; round < rounds; round++) {
    const drawn = flipCoins(entropy, ['a', 'b'], 0.3);
    counts.a += Number(drawn.includes('a'));
    counts.b += Number(drawn.includes('b'));
    both += Number(drawn.length === 2);
  }
  // Six deviations: a false alarm has a probability below 10⁻⁸.
  const near = (count: number, p: number) => Math.abs(count / rounds - p) < 6 * Math.sqrt((p * (1 - p)) / rounds);
  assert.ok(near(counts.a, 0.3) && near(counts.b, 0.3) && near(both, 0.09), JSON.stringify({ counts, both }));
});

test('flipCoins() takes everybody at rate 1, nobody at 0, and refuses what is no rate', () => {
  assert.deepEqual(flipCoins(entropy, ['a', 'b'], 1), ['a', 'b']);
  assert.deepEqual(flipCoins(entropy, ['a', 'b'], 0), []);
  assert.throws(() => flipCoins(entropy, ['a'], 1.1), /sampleRate must be from 0 to 1: current value is 1\.1/);
});
