import { createReader, createWriter } from '../core/protocol/binary.ts';
import { firstEpochSecret, nextEpochSecret } from '../core/protocol/qkd-schedule.ts';
import type { RoundKeys } from '../ports/round-keys.ts';
import type { DeviceQkd } from './round-secret.ts';

/** How far a device and its coordinator have come, and the secret that they share there. */
type Epoch = { readonly epoch: number; readonly secret: Uint8Array };

/** The secrets that devices carry from round to round; kept wrapped, one file for the last finished round. */
export type EpochSecrets = {
  /** Reads what is kept; `lastRound` is the newest finished round. */
  load(lastRound: number): Promise<void>;
  of(deviceId: string): Epoch;
  /**
   * Moves the devices whose update came under a QKD key to their next epoch. Called before the round's own secret is
   * destroyed; when it was written already, by a coordinator that was killed then, nothing changes.
   */
  advance(round: number, used: ReadonlyMap<string, DeviceQkd>): Promise<void>;
};

export function createEpochSecrets(kept: RoundKeys): EpochSecrets {
  let epochs = new Map<string, Epoch>();
  const first: Epoch = { epoch: 0, secret: firstEpochSecret };

  async function read(round: number): Promise<boolean> {
    const bytes = await kept.get(round);
    if (bytes !== undefined) epochs = decode(bytes);
    return bytes !== undefined;
  }

  return {
    async load(lastRound) {
      await read(lastRound);
    },
    of: (deviceId) => epochs.get(deviceId) ?? first,
    async advance(round, used) {
      if (await read(round)) return;
      for (const [deviceId, { mark, epochSecret, key }] of used) {
        const secret = nextEpochSecret({ mark, epochSecret, key, deviceId, round });
        epochs.set(deviceId, { epoch: mark.epoch + 1, secret });
      }
      await kept.put(round, encode(epochs));
      await kept.destroy(round - 1);
    },
  };
}

function encode(epochs: ReadonlyMap<string, Epoch>): Uint8Array {
  const writer = createWriter();
  writer.uint32(epochs.size);
  for (const [deviceId, { epoch, secret }] of epochs) {
    writer.text(deviceId);
    writer.uint32(epoch);
    writer.bytes(secret);
  }
  return writer.result();
}

function decode(bytes: Uint8Array): Map<string, Epoch> {
  const reader = createReader(bytes);
  const epochs = new Map<string, Epoch>();
  const count = reader.uint32();
  for (let i = 0; i < count && reader.isIntact(); i++) {
    epochs.set(reader.text(), { epoch: reader.uint32(), secret: reader.bytes(32).slice() });
  }
  if (!reader.isIntact()) throw new Error('Cannot use the epoch secrets as their file must be whole: it ends early');
  return epochs;
}
