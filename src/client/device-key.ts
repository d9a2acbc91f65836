import { keyRotationBytes } from '../core/protocol/messages.ts';
import { purposes, signsOnlyAs } from '../core/protocol/purposes.ts';
import { schemeOf } from '../core/protocol/signature-scheme.ts';
import type { Crypto, SigningKey } from '../ports/crypto.ts';
import type { Identity } from '../ports/identity.ts';
import { type Transport, TransportError } from '../ports/transport.ts';
import { RefusedError } from './ends.ts';
import { openSession } from './session.ts';

type Seeds = Pick<Identity, 'signingSeed' | 'nextSeed'>;

/** The key of this device: made here, replaced here. */
export type DeviceKey = {
  current(): SigningKey;
  /** Opens a session with the key in use, which may be the next one: the answer to its replacement may have been lost. */
  openSession(): Promise<string>;
  /** Puts a new key in place of the one in use. It is kept before the coordinator hears of it. */
  replace(session: string): Promise<void>;
};

export function createDeviceKey(parts: {
  readonly identity: Identity;
  readonly crypto: Crypto;
  readonly transport: Transport;
  readonly pin: string;
  readonly save: (seeds: Seeds) => Promise<void>;
}): DeviceKey {
  const { identity, crypto, transport, pin, save } = parts;
  const { orgId, runId, deviceId } = identity;
  const keyOf = (seed: string) => signsOnlyAs('device', crypto.importSigningKey(Uint8Array.fromBase64(seed)));
  let seeds: Seeds = { signingSeed: identity.signingSeed, nextSeed: identity.nextSeed };
  let current = keyOf(seeds.signingSeed);
  // One scheme for a device's life: the plan's.
  const scheme = schemeOf('publicKeyBytes', current.publicKey.length);

  async function keep(next: Seeds): Promise<void> {
    await save(next);
    seeds = next;
  }

  async function promote(seed: string): Promise<void> {
    await keep({ signingSeed: seed, nextSeed: undefined });
    current = keyOf(seed);
  }

  return {
    current: () => current,
    async openSession() {
      try {
        return await openSession(transport, { deviceId, key: current, pin });
      } catch (error) {
        const { nextSeed } = seeds;
        if (!(error instanceof RefusedError) || nextSeed === undefined) throw error;
        const session = await openSession(transport, { deviceId, key: keyOf(nextSeed), pin });
        await promote(nextSeed);
        return session;
      }
    },
    async replace(session) {
      const seed = seeds.nextSeed ?? crypto.generateSigningKey(scheme).exportSeed().toBase64();
      if (seeds.nextSeed === undefined) await keep({ ...seeds, nextSeed: seed });
      const next = keyOf(seed);
      const rotation = { version: 1, orgId, runId, deviceId, publicKey: next.publicKey.toBase64() } as const;
      const bytes = keyRotationBytes(rotation);
      const signature = current.sign(purposes.deviceKey, bytes).toBase64();
      const proof = next.sign(purposes.deviceKey, bytes).toBase64();
      const path = `/v1/orgs/${orgId}/runs/${runId}/keys`;
      const { status } = await transport.request({
        method: 'POST',
        path,
        session,
        json: { rotation, signature, proof },
      });
      if (status === 200) return promote(seed);
      // The round counts what the key in use has signed: the next announcement asks again.
      if (status === 409) return;
      const kind = status === 401 || status >= 500 ? 'network' : 'security';
      throw new TransportError(kind, `The coordinator did not take the new key of this device: status ${status}`);
    },
  };
}
