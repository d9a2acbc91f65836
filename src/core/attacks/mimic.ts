import { topEigenpair } from '../aggregation/eigen.ts';
import type { Attack } from './attack.ts';
import { seen } from './attack.ts';
import { centredGram, meanOf } from './statistics.ts';

/**
 * Mimic: copies one honest client, so that its data weigh too much. No detector can tell the copy from the original.
 *
 * Formula:   x_i with the largest projection on the honest updates' top principal direction, or a given i.
 * Source:    Karimireddy et al. 2022, arXiv:2006.09365, section 3.
 */
export function mimic(index?: number): Attack {
  return (input) => {
    const honest = seen(input);
    return honest[index ?? farthestOut(honest)]!.slice();
  };
}

function farthestOut(honest: readonly Float32Array[]): number {
  const mean = meanOf(honest);
  const n = honest.length;
  const gram = centredGram(honest, mean);
  const { vector } = topEigenpair(gram, n);
  return vector.reduce((most, value, i) => (Math.abs(value) > Math.abs(vector[most]!) ? i : most), 0);
}
