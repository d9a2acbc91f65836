import type { Entropy } from '../../ports/entropy.ts';
import { checkNumber } from './check.ts';
import { createIntegerSource } from './mechanisms/random-integers.ts';

/**
 * Secret Poisson participation: each candidate by a coin of its own.
 *
 * Formula:  P[in] = ⌊q 2⁵³⌋ ÷ 2⁵³ ≤ q, independently. A round may be empty.
 * Promises: the sampling that the accountant assumes; nobody can predict a coin.
 */
export function flipCoins<T>(entropy: Entropy, candidates: readonly T[], sampleRate: number): T[] {
  checkNumber('flip coins', 'sampleRate', sampleRate, 'rate');
  if (sampleRate === 1) return [...candidates];
  const source = createIntegerSource(entropy);
  const limit = Math.floor(sampleRate * 2 ** 53);
  return candidates.filter(() => source.below(2 ** 53) < limit);
}
