import { randomFillSync } from '../primitives/index.ts';
import type { Entropy } from '../ports/entropy.ts';

/** The operating system's generator, through OpenSSL. */
export function createNodeEntropy(): Entropy {
  return { purpose: 'secret', fillBytes: (target) => void randomFillSync(target) };
}
