import { boundedAggregator, withRadius } from '../../core/aggregation/bounded.ts';
import { nextModel } from '../../core/learning/server/next-model.ts';
import { expectedContributions } from '../../core/plan/privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { shrunkReference } from '../../core/privacy/bounded-release.ts';
import type { GlobalState } from '../../core/round/global-step.ts';
import type { Disk } from './coordinator-ports.ts';
import type { Commit } from './observed.ts';

/** In standard deviations beyond the expected norm: a false alarm has a probability below 10⁻¹³. */
const reach = 8;

/**
 * How a private model is not what its release makes of it, or its release not the bounded sum of the accepted updates and
 * noise; undefined where all is well.
 */
export async function releaseProblem(
  plan: Plan,
  { entries, before: run }: Pick<Commit, 'entries' | 'before'>,
  made: { readonly rows: readonly Float32Array[]; readonly before: GlobalState; readonly after: GlobalState },
  disk: Disk,
): Promise<string | undefined> {
  const released = entries.find(({ kind }) => kind === 'privacy.released');
  if (released === undefined) return 'a model was published without a release';
  const { release, noiseNorm, radius } = released.data as { release: string; noiseNorm: number; radius: number };
  const vector = await floats(disk, release);
  const { before, after, rows } = made;
  const { model } = nextModel(plan.learning.server, { base: before.model, state: before.optimizer, aggregate: vector });
  const index = model.findIndex((value, i) => !Object.is(value, after.model[i]));
  if (index !== -1) return `value ${index} of the model is ${after.model[index]} and not ${model[index]}`;

  const bound = boundedAggregator(plan.aggregation.pipeline, expectedContributions(plan));
  if (!bound.ok) return bound.reason;
  const { isCentred, expectedCount } = withRadius(bound.value, radius);
  const last = run.privacy?.last ?? null;
  const isAround = isCentred && plan.privacy.mode === 'central' && plan.privacy.reference === 'last-release';
  const reference =
    isAround && last !== null
      ? shrunkReference(await floats(disk, last.release), last.noiseNorm)
      : new Float32Array(vector.length);
  const clean = Float64Array.from(reference);
  for (const row of rows) {
    const norm = Math.hypot(...row.map((value, k) => value - reference[k]!));
    const scale = Math.min(1, radius / norm) / expectedCount;
    row.forEach((value, k) => (clean[k]! += norm === 0 ? 0 : (value - reference[k]!) * scale));
  }
  const distance = Math.hypot(...vector.map((value, k) => value - clean[k]!));
  const most = noiseNorm * (1 + reach / Math.sqrt(vector.length)) + 1e-5 * radius;
  if (distance > most) return `the release is ${distance} from the bounded sum, where noise is at most ${most}`;
  if (distance < noiseNorm / 1000) return `the release has no noise: it is ${distance} from the bounded sum`;
  return undefined;
}

async function floats(disk: Disk, hash: string): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(Uint8Array.from((await disk.blobs.get(hash))!).buffer);
}
