import { createArena } from '../../src/core/vector/arena.ts';
import { instantiateCohortKernels } from '../../src/core/vector/cohort-kernels.ts';
import { own, type Subject } from './clock.ts';

const count = 32 << 20;
const bufferBytes = count * 4;
/** A cohort of gigabytes is not read again and again for it. */
const passesMax = 8;

/** What this machine reads and copies now, in GB/s from the milliseconds of each (copied bytes count in both directions). */
export type BandwidthMeter = {
  readonly read: Subject;
  readonly copy: Subject;
  readonly gigabytesPerSecond: (ms: number) => number;
};

/**
 * 128 MiB, read by the kernels' own instructions, or one half copied to the other: as often as makes the bytes of the
 * cohort, so that the meter has no better luck with its neighbours than a pass over the rows.
 */
export function bandwidthMeter(cohortBytes: number): BandwidthMeter {
  const passes = Math.min(passesMax, Math.max(1, Math.round(cohortBytes / bufferBytes)));
  const arena = createArena();
  const kernels = instantiateCohortKernels(arena.memory);
  const address = arena.take(bufferBytes);
  const [table, sums] = [arena.take(64), arena.take(64)];
  const values = arena.floats(address, count).fill(1);
  arena.words(table, 1)[0] = address;
  const often = (work: () => unknown): Subject =>
    own(() => {
      for (let pass = 0; pass < passes; pass++) work();
    });
  return {
    read: often(() => kernels.norms(sums, table, 1, 0, count)),
    copy: often(() => values.copyWithin(0, count / 2)),
    gigabytesPerSecond: (ms) => (bufferBytes * passes) / ms / 1e6,
  };
}
