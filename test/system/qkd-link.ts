import type { QkdParts } from '../../src/coordinator/parts.ts';
import type { SiteQkd } from '../../src/client/qkd.ts';
import type { KeySource, KeySourceStatus } from '../../src/ports/key-source.ts';
import type { RoundKeys } from '../../src/ports/round-keys.ts';
import { crypto } from './world.ts';

/** A QKD network in memory: each key goes to each side once. What it holds, an attacker of a test may look at. */
export function createQkdNetwork() {
  const waiting = new Map<string, { readonly saeId: string; readonly bytes: Uint8Array }>();
  const handedOut = new Map<string, Uint8Array>();
  const epochFiles = new Map<number, Uint8Array>();
  const network = { isUp: true };
  let count = 0;

  const status = async (): Promise<KeySourceStatus> => ({
    source: 'simulated',
    tlsProfile: 'in memory',
    tlsGroup: undefined,
    storedKeyCount: 1,
    keySizeBits: 256,
    keysPerRequestMax: 8,
  });
  const demandUp = () => {
    if (!network.isUp) throw new Error('the link is down');
  };

  const sourceFor = (saeId: string): KeySource => ({
    status,
    async reserve(request) {
      demandUp();
      return Array.from({ length: request.count }, () => {
        const keyId = `key-${(count += 1)}`;
        const bytes = crypto.randomBytes(request.sizeBits / 8);
        waiting.set(keyId, { saeId, bytes });
        handedOut.set(keyId, bytes.slice());
        return { keyId, bytes };
      });
    },
    collect: () => Promise.reject(new Error('the coordinator reserves')),
  });

  function siteOf(saeId: string): SiteQkd {
    return {
      saeId,
      source: {
        status,
        reserve: () => Promise.reject(new Error('the site collects')),
        async collect(keyIds) {
          demandUp();
          return keyIds.map((keyId) => {
            const key = waiting.get(keyId);
            if (key?.saeId !== saeId) throw new Error(`no key ${keyId} for ${saeId}`);
            waiting.delete(keyId);
            return { keyId, bytes: key.bytes.slice() };
          });
        },
      },
    };
  }

  const epochs: RoundKeys = {
    put: async (round, secret) => void epochFiles.set(round, secret.slice()),
    get: async (round) => epochFiles.get(round)?.slice(),
    destroy: async (round) => void epochFiles.delete(round),
  };
  const coordinator: QkdParts = { tlsProfile: 'in memory', sourceFor, epochs };
  return { coordinator, siteOf, handedOut, epochFiles, network };
}
