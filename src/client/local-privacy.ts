import type { LocalUpdate } from '../core/learning/client/client-algorithm.ts';
import { unitUpdatesOf, updateBudget } from '../core/plan/local-privacy.ts';
import type { Plan } from '../core/plan/plan.ts';
import { localNoise, noisyUpdate } from '../core/privacy/local/noisy-update.ts';
import { unitUpdate } from '../core/privacy/local/priv-unit-update.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Identity } from '../ports/identity.ts';

/** Makes an update what may leave this site under local privacy. */
export type LocalPrivacy = {
  /** Counts one more update. False where the site has sent as many as its budget allows. Asked before the training. */
  reserve(): Promise<boolean>;
  protect(delta: Float32Array): Float32Array;
};

/**
 * Local privacy as the site itself holds it: the coordinator is trusted with nothing.
 *
 * Promises: at most as many noisy updates as the plan has rounds, over restarts too: each is counted on disk before it is
 *           drawn, so a site that is killed in between has lost one and revealed nothing.
 */
export function createLocalPrivacy(parts: {
  readonly plan: Plan;
  readonly released: number;
  readonly entropy: Entropy;
  readonly save: (local: NonNullable<Identity['local']>) => Promise<void>;
}): LocalPrivacy | null {
  const { plan, entropy, save } = parts;
  const { privacy } = plan;
  if (privacy.mode !== 'local') return null;
  const { clipNorm, unit, mechanism } = privacy;
  const releases = plan.rounds.count;
  let released = parts.released;
  let noise: number | undefined;
  return {
    async reserve() {
      if (released >= releases) return false;
      released += 1;
      await save({ released });
      return true;
    },
    protect(delta) {
      // Gradients of single records were noised in training.
      if (unit === 'record') return delta;
      if (mechanism === 'priv-unit') {
        return unitUpdate(delta, { clipNorm, setting: unitUpdatesOf(plan, privacy), entropy });
      }
      noise ??= localNoise(updateBudget(privacy, plan.rounds));
      return noisyUpdate(delta, { clipNorm, noise, entropy });
    },
  };
}

/** An update as it leaves the site: how many examples it has would be another clean value. */
export function protectedUpdate(update: LocalUpdate, local: LocalPrivacy | null): LocalUpdate {
  return local === null ? update : { ...update, delta: local.protect(update.delta), claimedExamples: 1 };
}
