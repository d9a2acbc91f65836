import { randomBytes } from '../primitives/index.ts';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtRest } from '../ports/at-rest.ts';
import { DamagedError } from '../ports/damage.ts';
import type { RoundKeys } from '../ports/round-keys.ts';
import { writeSynced } from '../primitives/synced-file.ts';
import { ifThere } from '../primitives/if-there.ts';

/** Round secrets as files of mode 0600, each sealed at rest: it opens as the secret of its own round only. */
export function createFileRoundKeys(folder: string, atRest: AtRest): RoundKeys {
  const pathOf = (round: number) => join(folder, `round-${round}.key`);
  const placeOf = (round: number) => `qflare/round-key/v1/${round}`;

  function unwrap(wrapped: Uint8Array, round: number): Uint8Array {
    try {
      return atRest.open(placeOf(round), wrapped);
    } catch (cause) {
      throw new DamagedError(
        `Cannot use the key of round ${round} as it must open under the data key: remove ${pathOf(round)} and the round is repeated`,
        { cause },
      );
    }
  }

  return {
    async put(round, secret) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeSynced(pathOf(round), atRest.seal(placeOf(round), secret));
    },
    async get(round) {
      const wrapped = await ifThere(readFile(pathOf(round)));
      return wrapped && unwrap(wrapped, round);
    },
    async destroy(round) {
      // Out of its place first: killed in between, it is gone, and not a key that does not open.
      const part = `${pathOf(round)}.part`;
      await ifThere(rename(pathOf(round), part));
      await overwrite(part);
      await rm(part, { force: true });
    },
  };
}

/** Best effort: a journaling or copy-on-write file system may keep old blocks, which are wrapped all the same. */
async function overwrite(path: string): Promise<void> {
  try {
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(randomBytes(size), 0, size, 0);
    await file.sync();
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
