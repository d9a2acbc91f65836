/** What a site remembers between rounds and between starts. It stays at the site. */
export type SiteMemory = {
  /** `kept`: what its algorithm keeps. `personal`: its own model. `pace`: what it measured of itself. `residual`: what its updates left out. */
  read(name: MemoryName): Promise<Uint8Array | undefined>;
  /** Resolves when it survives a power cut; the old content stays whole until then. */
  write(name: MemoryName, bytes: Uint8Array): Promise<void>;
};

export type MemoryName = 'kept' | 'personal' | 'pace' | 'residual';
