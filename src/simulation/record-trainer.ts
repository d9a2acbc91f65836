import { createRecordPrivateTrainer } from '../adapters/trainer-record-private.ts';
import type { Dataset } from '../core/data/dataset.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Rng } from '../core/random/rng.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Trainer } from '../ports/trainer.ts';
import { createSimulatedEntropy } from './world/simulated-entropy.ts';

/** The record-private training of a site with SIMULATED noise: a function of generator and round, whatever came before. */
export function simulatedRecordTrainer(plan: Plan, data: Dataset, rng: Rng): Trainer {
  let source = createSimulatedEntropy(rng);
  const entropy: Entropy = {
    purpose: 'secret',
    isSimulated: true,
    fillBytes: (target) => source.fillBytes(target),
  };
  const trainer = createRecordPrivateTrainer(plan, data, entropy);
  return {
    ...trainer,
    train(task) {
      // All of a round's noise is drawn before the trainer gives way.
      source = createSimulatedEntropy(rng.child('round', task.round));
      return trainer.train(task);
    },
  };
}
