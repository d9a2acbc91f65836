import { type Dataset, sampleCount, subset } from '../core/data/dataset.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';

/**
 * Takes the root set out of the coordinator's data, where the plan asks for one: drawn by the plan's seed, so that it is
 * the same after a restart, and no part of what accuracy is measured on.
 */
export function withRootSet({ plan, test }: { readonly plan: Plan; readonly test: Dataset | null }): {
  readonly test: Dataset | null;
  readonly root: Dataset | null;
} {
  const { rootSamples } = plan.detection;
  if (rootSamples === 0) return { test, root: null };
  const held = test === null ? 0 : sampleCount(test);
  if (test === null || held <= rootSamples) {
    throw new RangeError(
      `Cannot start the run as detection.rootSamples must be less than the samples in data.test (${held}): current value is ${rootSamples}`,
    );
  }
  const order = createRng(plan.seed)
    .child('root-set')
    .shuffleInPlace(Uint32Array.from({ length: held }, (_, i) => i));
  return { root: subset(test, order.slice(0, rootSamples)), test: subset(test, order.slice(rootSamples).sort()) };
}
