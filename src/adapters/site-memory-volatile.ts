import type { SiteMemory } from '../ports/site-memory.ts';

/** In memory, for simulated worlds: it outlives a simulated restart of the client. */
export function createVolatileSiteMemory(): SiteMemory {
  const files = new Map<string, Uint8Array>();
  return {
    read: async (name) => files.get(name),
    write: async (name, bytes) => void files.set(name, bytes),
  };
}
