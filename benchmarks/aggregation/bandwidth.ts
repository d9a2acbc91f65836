import { createArena } from '../../src/core/vector/arena.ts';
import { instantiateCohortKernels } from '../../src/core/vector/cohort-kernels.ts';
import { own, type Subject } from './clock.ts';

const count = 32 << 20;

/** Bytes that `read` reads, and that `copy` reads and writes together. */
export const readBytes = count * 4;
export const copyBytes = count * 4;

/** What this machine reads and copies now: 128 MiB, read by the kernels' own instructions, one half copied to the other. */
export function bandwidthSubjects(): { readonly read: Subject; readonly copy: Subject } {
  const arena = createArena();
  const kernels = instantiateCohortKernels(arena.memory);
  const address = arena.take(readBytes);
  const [table, sums] = [arena.take(64), arena.take(64)];
  const values = arena.floats(address, count).fill(1);
  arena.words(table, 1)[0] = address;
  return {
    read: own(() => kernels.norms(sums, table, 1, 0, count)),
    copy: own(() => values.copyWithin(0, count / 2)),
  };
}
