import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtRest } from '../ports/at-rest.ts';
import type { MemoryName, SiteMemory } from '../ports/site-memory.ts';
import { writeSynced } from '../primitives/synced-file.ts';

/**
 * Files of mode 0600 in a site's state folder: `personal.safetensors`, the site's own model, as it is, for its own use;
 * `kept.sealed` and `pace.sealed`, what only the agent reads, sealed at rest.
 */
export function createFileSiteMemory(folder: string, atRest: AtRest): SiteMemory {
  const isOpen = (name: MemoryName) => name === 'personal';
  const pathOf = (name: MemoryName) => join(folder, isOpen(name) ? `${name}.safetensors` : `${name}.sealed`);
  const placeOf = (name: MemoryName) => `qflare/site-memory/v1/${name}`;
  return {
    async read(name) {
      try {
        const bytes = await readFile(pathOf(name));
        return isOpen(name) ? bytes : atRest.open(placeOf(name), bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeSynced(pathOf(name), isOpen(name) ? bytes : atRest.seal(placeOf(name), bytes));
    },
  };
}
