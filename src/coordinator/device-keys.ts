import { keyRotationBytes, type RotateKeyRequest } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import { deviceKeyTimes } from '../core/keys/lifecycle.ts';
import { isOfSuite, type PlainSuiteId } from '../core/protocol/suite.ts';
import type { Clock } from '../ports/clock.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Device } from '../ports/store.ts';
import type { Decision, RunLog, Snapshot } from './run-log.ts';
import { hasEnded } from './state.ts';

/** How often the times of all keys are looked at. */
const checkMs = 60_000;

/** What became of a device's wish to replace its key. `later`: the open round counts what the key in use has signed. */
export type KeyRotation = 'replaced' | 'later' | 'bad-signature' | 'key-taken';

/** Keys of devices are made at the devices; here a new one takes an old one's place. */
export type DeviceKeys = {
  replace(device: Device, request: RotateKeyRequest): Promise<KeyRotation>;
  /** Asks a device for a new key. Undefined when there is no such device. */
  ask(deviceId: string): Promise<Device | undefined>;
  /** Removes the devices whose key has ended: it was to be replaced and was not. Looks once a minute. */
  expire(): Promise<void>;
};

/** Whether a device is to replace its key: it was asked to, or the key is old. */
export function isKeyDue({ run }: Snapshot, device: Device, nowMs: number): boolean {
  if (hasEnded(run)) return false;
  return run.deviceKeys[device.deviceId]?.isAsked === true || nowMs >= keyTimesOf({ run }, device).dueMs;
}

/** When a device's key is to be replaced, and when it ends, by the coordinator's wall clock. */
export function keyTimesOf({ run }: Pick<Snapshot, 'run'>, { deviceId, enrolledAtMs }: Device) {
  return deviceKeyTimes(run.deviceKeys[deviceId]?.sinceMs ?? enrolledAtMs);
}

export function createDeviceKeys(parts: {
  readonly log: RunLog;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly suite: PlainSuiteId;
}): DeviceKeys {
  const { log, crypto, clock, suite } = parts;
  let nextCheckMs = Number.NEGATIVE_INFINITY;
  const fingerprint = (publicKey: string) => crypto.sha256(Uint8Array.fromBase64(publicKey)).toHex().slice(0, 16);

  function decide(snapshot: Snapshot, old: Device, publicKey: string): Decision<KeyRotation> {
    const device = snapshot.devices.get(old.deviceId)!;
    // Replaced meanwhile: what was verified was verified under another key.
    if (device.publicKey !== old.publicKey) return { result: 'bad-signature' };
    if ([...snapshot.devices.values()].some((other) => other.publicKey === publicKey)) return { result: 'key-taken' };
    // After a restart the envelopes of the round are verified again: they must not outlive their key.
    const { round, facts } = snapshot.run;
    const { clientId, deviceId } = device;
    const counts = round !== null && (Object.hasOwn(round.accepted, clientId) || facts!.accepted.includes(clientId));
    if (counts) return { result: 'later' };
    const data = { deviceId, clientId, old: fingerprint(device.publicKey), new: fingerprint(publicKey) };
    return {
      changes: [{ kind: 'device-key', deviceId, publicKey }],
      drafts: [{ kind: 'device.key', data }],
      result: 'replaced',
    };
  }

  return {
    async replace(device, { rotation, signature, proof }) {
      const { publicKey } = rotation;
      const bytes = keyRotationBytes(rotation);
      const holds = (key: string, by: string) =>
        crypto.verify(Uint8Array.fromBase64(key), purposes.deviceKey, bytes, Uint8Array.fromBase64(by));
      const isHeld = isOfSuite(suite, Uint8Array.fromBase64(publicKey)) && (await holds(publicKey, proof));
      // Asked again, as the answer was lost.
      if (isHeld && device.publicKey === publicKey) return 'replaced';
      if (!isHeld || !(await holds(device.publicKey, signature))) return 'bad-signature';
      return log.record((snapshot) => decide(snapshot, device, publicKey));
    },
    async expire() {
      if (clock.monotonicMs() < nextCheckMs) return;
      nextCheckMs = clock.monotonicMs() + checkMs;
      const isOver = (snapshot: Snapshot, device: Device) =>
        device.status !== 'removed' && clock.wallMs() >= keyTimesOf(snapshot, device).endsMs;
      const now = log.snapshot();
      if (hasEnded(now.run) || ![...now.devices.values()].some((device) => isOver(now, device))) return;
      await log.record((snapshot) => {
        const over = [...snapshot.devices.values()].filter((device) => isOver(snapshot, device));
        return {
          changes: over.map(({ deviceId }) => ({ kind: 'device-status', deviceId, status: 'removed' }) as const),
          drafts: over.map(({ deviceId, clientId }) => ({
            kind: 'device.status',
            data: { deviceId, clientId, status: 'removed', reason: 'its key has expired' },
          })),
          result: undefined,
        };
      });
    },
    ask: (deviceId) =>
      log.record((snapshot) => {
        const device = snapshot.devices.get(deviceId);
        if (device === undefined || snapshot.run.deviceKeys[deviceId]?.isAsked === true) return { result: device };
        const data = { deviceId, clientId: device.clientId };
        return { drafts: [{ kind: 'device.key-asked', data }], result: device };
      }),
  };
}
