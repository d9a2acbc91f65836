import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtRest } from '../ports/at-rest.ts';
import type { MemoryName, SiteMemory } from '../ports/site-memory.ts';
import { writeSynced } from '../primitives/synced-file.ts';
import { ifThere } from '../primitives/if-there.ts';

/**
 * Files of mode 0600 in a site's state folder, each sealed at rest: `kept.sealed`, `personal.sealed`, … An earlier release
 * left `personal.safetensors` in clear: it is read as long as nothing sealed is there, and removed once that is.
 */
export function createFileSiteMemory(folder: string, atRest: AtRest): SiteMemory {
  const pathOf = (name: MemoryName) => join(folder, `${name}.sealed`);
  const placeOf = (name: MemoryName) => `qflare/site-memory/v1/${name}`;
  const clear = join(folder, 'personal.safetensors');
  return {
    async read(name) {
      const sealed = await ifThere(readFile(pathOf(name)));
      if (sealed !== undefined) return atRest.open(placeOf(name), sealed);
      return name === 'personal' ? ifThere(readFile(clear)) : undefined;
    },
    async write(name, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeSynced(pathOf(name), atRest.seal(placeOf(name), bytes));
      if (name === 'personal') await rm(clear, { force: true });
    },
  };
}
