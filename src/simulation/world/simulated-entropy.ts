import type { Rng } from '../../core/random/rng.ts';
import type { Entropy } from '../../ports/entropy.ts';

/**
 * SIMULATED secret bytes: seeded, so that a world is a function of its seed. Noise drawn from it protects nobody, and
 * every release says so. No production code can import this folder.
 */
export function createSimulatedEntropy(rng: Rng): Entropy {
  return {
    purpose: 'secret',
    isSimulated: true,
    fillBytes(target) {
      const words = new Uint32Array(Math.ceil(target.length / 4));
      for (let i = 0; i < words.length; i++) words[i] = rng.uint32();
      target.set(new Uint8Array(words.buffer, 0, target.length));
    },
  };
}
