import type { Json } from '../core/protocol/canonical-json.ts';
import { qkdKeyBits } from '../core/protocol/qkd-schedule.ts';
import type { Device } from '../ports/store.ts';
import { createEpochSecrets } from './epoch-secrets.ts';
import type { CoordinatorParts } from './parts.ts';
import type { DeviceQkd } from './round-secret.ts';
import type { RunLog } from './run-log.ts';

/** A site that should have had a QKD key and did not get one. */
type QkdAbsence = { readonly clientId: string; readonly reason: string };

/** The QKD keys that were reserved for one round. */
export type ReservedQkd = {
  readonly keys: ReadonlyMap<string, DeviceQkd>;
  /** Who may take part: under "required" only who has a fresh key, as there is no weaker way. */
  served(clientIds: readonly string[]): readonly string[];
  /** Which key goes with which client, by names that may be public. */
  readonly journaled: { readonly qkd?: Json };
};

/** The QKD keys of a run: reserved for each round before it opens, so that a killed coordinator goes on with them. */
export type QkdKeys = {
  /** Reads the secrets that were carried to the newest finished round. */
  load(lastRound: number): Promise<void>;
  /** One fresh key for each device that has a source, all at once. Who lacks one, and why, is journaled once. */
  reserve(devices: readonly Device[], saeOf: (deviceId: string) => string | undefined): Promise<ReservedQkd>;
  /** Carries the secrets of a round on; before the round's own secret is destroyed. */
  advance(round: number, keys: ReadonlyMap<string, DeviceQkd> | undefined): Promise<void>;
  /** A source that has no keys now is asked again a little later, not ten times a second. */
  pause(): void;
  isPaused(): boolean;
};

const pauseMs = 2000;

export function createQkdKeys(
  { plan, qkd, clock }: Pick<CoordinatorParts, 'plan' | 'qkd' | 'clock'>,
  log: RunLog,
): QkdKeys {
  const { policy } = plan.security.qkd;
  const epochs = qkd === undefined || policy === 'off' ? null : createEpochSecrets(qkd.epochs);
  let alarm = '';
  let hasAbsent = false;
  let pausedUntilMs = 0;

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
      const isCarried = policy === 'preferred' && epoch > 0;
      if (isCarried) return { mark: { epoch, keyId: '' }, epochSecret, key: null, source: 'unknown' };
      return (error as Error).message;
    }
  }

  async function report(absent: readonly QkdAbsence[]): Promise<void> {
    const text = absent.map(({ clientId, reason }) => `${clientId}: ${reason}`).join('; ');
    hasAbsent = absent.length > 0;
    if (text === alarm) return;
    alarm = text;
    const data = { policy, absent: absent as unknown as Json };
    await log.record(() => ({ drafts: [{ kind: 'qkd.keys', data }], result: undefined }));
  }

  return {
    load: async (lastRound) => epochs?.load(lastRound),
    async reserve(devices, saeOf) {
      const keys = new Map<string, DeviceQkd>();
      const absent: QkdAbsence[] = [];
      const marks: { [clientId: string]: Json } = {};
      if (policy !== 'off') {
        const got = await Promise.all(devices.map((device) => reserveFor(device, saeOf(device.deviceId))));
        for (const [i, { deviceId, clientId }] of devices.entries()) {
          const one = got[i]!;
          if (typeof one === 'string') absent.push({ clientId, reason: one });
          else keys.set(deviceId, one);
          if (typeof one !== 'string') marks[clientId] = { ...one.mark };
        }
        await report(absent);
      }
      const lacking = new Set(policy === 'required' ? absent.map(({ clientId }) => clientId) : []);
      return {
        keys,
        served: (clientIds) => clientIds.filter((clientId) => !lacking.has(clientId)),
        journaled: keys.size === 0 ? {} : { qkd: marks },
      };
    },
    async advance(round, keys) {
      if (epochs === null) return;
      const used = new Set(log.snapshot().run.facts?.withQkd ?? []);
      await epochs.advance(round, new Map([...(keys ?? [])].filter(([deviceId]) => used.has(deviceId))));
    },
    pause() {
      if (hasAbsent) pausedUntilMs = clock.monotonicMs() + pauseMs;
    },
    isPaused: () => clock.monotonicMs() < pausedUntilMs,
  };
}
