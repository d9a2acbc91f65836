import { createArena } from '../../src/core/vector/arena.ts';
import { instantiateCohortKernels } from '../../src/core/vector/cohort-kernels.ts';
import { own, type Subject } from './clock.ts';

/** From 128 MiB, more than a cache holds, to 1 GiB. */
const [floatsMin, floatsMax] = [32 << 20, 256 << 20];

/** What this machine reads and copies now, in GB/s from the milliseconds of each (copied bytes count in both directions). */
export type BandwidthMeter = {
  readonly read: Subject;
  readonly copy: Subject;
  readonly gigabytesPerSecond: (ms: number) => number;
};

/**
 * One array as large as the cohort: read once from end to end by the kernels' own instructions, or one half copied to the
 * other. A smaller one would need fewer of the processor's page tables and be read faster than any cohort can.
 */
export function bandwidthMeter(cohortFloats: number): BandwidthMeter {
  const count = Math.ceil(Math.min(floatsMax, Math.max(floatsMin, cohortFloats)) / 32) * 32;
  const arena = createArena();
  const kernels = instantiateCohortKernels(arena.memory);
  const address = arena.take(count * 4);
  const [table, sums] = [arena.take(64), arena.take(64)];
  const values = arena.floats(address, count).fill(1);
  arena.words(table, 1)[0] = address;
  return {
    read: own(() => kernels.norms(sums, table, 1, 0, count)),
    copy: own(() => values.copyWithin(0, count / 2)),
    gigabytesPerSecond: (ms) => (count * 4) / ms / 1e6,
  };
}
