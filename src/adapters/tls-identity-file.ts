import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtRest } from '../ports/at-rest.ts';
import type { TlsIdentity, TlsIdentityStore } from '../ports/tls-identity.ts';
import { writeSynced } from '../primitives/synced-file.ts';

const place = 'qflare/tls-identity/v1';

/** A device's certificate as a file of mode 0600, its key sealed. */
export function createFileTlsIdentity(folder: string, atRest: AtRest): TlsIdentityStore {
  const path = join(folder, 'certificate.json');
  return {
    async load() {
      try {
        const { cert, sealed } = JSON.parse(await readFile(path, 'utf8')) as { cert: string; sealed: string };
        return { cert, key: new TextDecoder().decode(atRest.open(place, Uint8Array.fromBase64(sealed))) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save({ cert, key }: TlsIdentity) {
      const sealed = atRest.seal(place, new TextEncoder().encode(key)).toBase64();
      await writeSynced(path, JSON.stringify({ cert, sealed }));
    },
  };
}
