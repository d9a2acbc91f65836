import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { MemoryName, SiteMemory } from '../ports/site-memory.ts';

/** `kept.safetensors`, `personal.safetensors` and `pace.json` of mode 0600 in a site's state folder. */
export function createFileSiteMemory(folder: string): SiteMemory {
  const pathOf = (name: MemoryName) => join(folder, `${name}.${name === 'pace' ? 'json' : 'safetensors'}`);
  return {
    async read(name) {
      try {
        return await readFile(pathOf(name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = pathOf(name);
      const file = await open(`${path}.part`, 'w', 0o600);
      await file.writeFile(bytes);
      await file.sync();
      await file.close();
      await rename(`${path}.part`, path);
      const entries = await open(folder, 'r');
      await entries.sync().finally(() => entries.close());
    },
  };
}
