import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtRest } from '../ports/at-rest.ts';
import type { Identity, IdentityStore } from '../ports/identity.ts';
import { writeSynced } from '../primitives/synced-file.ts';

const place = 'qflare/identity/v1';

type Secrets = Pick<Partial<Identity>, 'signingSeed' | 'nextSeed' | 'qkd'>;

/**
 * An identity as a file of mode 0600 in a folder of mode 0700. What is secret in it, the device's key and what QKD gave,
 * is sealed; the rest can be read.
 */
export function createFileIdentityStore(folder: string, atRest: AtRest): IdentityStore {
  const path = join(folder, 'identity.json');
  return {
    async load() {
      try {
        const { sealed, ...known } = JSON.parse(await readFile(path, 'utf8')) as Partial<Identity> & { sealed: string };
        const secrets = new TextDecoder().decode(atRest.open(place, Uint8Array.fromBase64(sealed)));
        return { ...known, ...(JSON.parse(secrets) as Secrets) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save({ signingSeed, nextSeed, qkd, ...known }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const secrets = new TextEncoder().encode(JSON.stringify({ signingSeed, nextSeed, qkd }));
      await writeSynced(path, JSON.stringify({ ...known, sealed: atRest.seal(place, secrets).toBase64() }));
    },
  };
}
