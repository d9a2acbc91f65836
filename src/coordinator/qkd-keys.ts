import type { Plan } from '../core/plan/plan.ts';
import { qkdKeyBits } from '../core/protocol/qkd-schedule.ts';
import type { KeySource } from '../ports/key-source.ts';
import type { RoundKeys } from '../ports/round-keys.ts';
import type { Device } from '../ports/store.ts';
import { createEpochSecrets, type EpochSecrets } from './epoch-secrets.ts';
import type { DeviceQkd } from './round-secret.ts';

/** What a coordinator with a QKD link is given. */
export type QkdParts = {
  /** The named TLS profile towards the key source, for status: vendors speak classical TLS. */
  readonly tlsProfile: string;
  /** The key source towards one site, by the SAE id that the site says it has. Its entity binds the id to a certificate. */
  readonly sourceFor: (saeId: string) => KeySource;
  /** Where the secrets that are carried from round to round rest, wrapped. */
  readonly epochs: RoundKeys;
};

/** A site that should have had a QKD key and did not get one. */
export type QkdAbsence = { readonly clientId: string; readonly reason: string };

/** The QKD keys of a run: reserved for each round before it opens, so that a killed coordinator goes on with them. */
export type QkdKeys = {
  readonly epochs: EpochSecrets | null;
  /** One fresh key for each device that has a source, all at once; who got none, and why. */
  reserve(
    devices: readonly Device[],
    saeOf: (deviceId: string) => string | undefined,
  ): Promise<{ readonly keys: ReadonlyMap<string, DeviceQkd>; readonly absent: readonly QkdAbsence[] }>;
};

export function createQkdKeys(plan: Plan, qkd: QkdParts | undefined): QkdKeys {
  const { policy } = plan.security.qkd;
  const epochs = qkd === undefined || policy === 'off' ? null : createEpochSecrets(qkd.epochs);

  async function reserveFor(device: Device, saeId: string | undefined): Promise<DeviceQkd | string> {
    if (qkd === undefined || epochs === null) return 'the coordinator has no key source';
    const { epoch, secret: epochSecret } = epochs.of(device.deviceId);
    try {
      if (saeId === undefined) throw new Error('the site has no key source');
      const source = qkd.sourceFor(saeId);
      const [key] = await source.reserve({ count: 1, sizeBits: qkdKeyBits });
      const { source: kind } = await source.status();
      return { mark: { epoch, keyId: key!.keyId }, epochSecret, key: key!.bytes, source: kind };
    } catch (error) {
      // What earlier keys gave goes on to protect; only "required" demands a fresh one.
      const carried = policy === 'preferred' && epoch > 0;
      if (carried) return { mark: { epoch, keyId: '' }, epochSecret, key: null, source: 'unknown' };
      return (error as Error).message;
    }
  }

  return {
    epochs,
    async reserve(devices, saeOf) {
      const keys = new Map<string, DeviceQkd>();
      const absent: QkdAbsence[] = [];
      if (policy === 'off') return { keys, absent };
      const got = await Promise.all(devices.map((device) => reserveFor(device, saeOf(device.deviceId))));
      for (const [i, { deviceId, clientId }] of devices.entries()) {
        const one = got[i]!;
        if (typeof one === 'string') absent.push({ clientId, reason: one });
        else keys.set(deviceId, one);
      }
      return { keys, absent };
    },
  };
}
