import { createReader, createWriter } from '../core/protocol/binary.ts';
import type { QkdMark } from '../core/protocol/qkd-schedule.ts';

/** The QKD key of one device in one round, with the secret of its epoch. */
export type DeviceQkd = {
  readonly mark: QkdMark;
  readonly epochSecret: Uint8Array;
  /** Null when no fresh key was there: the epoch secret alone. */
  readonly key: Uint8Array | null;
  readonly source: 'simulated' | 'unknown';
};

/** What a killed coordinator needs to open the envelopes of its round: kept wrapped, destroyed when the round ends. */
export type RoundSecret = {
  readonly roundKey: Uint8Array;
  readonly qkd: ReadonlyMap<string, DeviceQkd>;
};

export function encodeRoundSecret({ roundKey, qkd }: RoundSecret): Uint8Array {
  const writer = createWriter();
  writer.uint32(roundKey.length);
  writer.bytes(roundKey);
  writer.uint32(qkd.size);
  for (const [deviceId, { mark, epochSecret, key, source }] of qkd) {
    writer.text(deviceId);
    writer.uint32(mark.epoch);
    writer.text(mark.keyId);
    writer.uint8(source === 'simulated' ? 1 : 0);
    writer.bytes(epochSecret);
    writer.uint8(key === null ? 0 : 1);
    if (key !== null) writer.bytes(key);
  }
  return writer.result();
}

export function decodeRoundSecret(bytes: Uint8Array): RoundSecret {
  const reader = createReader(bytes);
  const roundKey = reader.bytes(reader.uint32()).slice();
  const qkd = new Map<string, DeviceQkd>();
  const count = reader.uint32();
  for (let i = 0; i < count && reader.isIntact(); i++) {
    const deviceId = reader.text();
    const mark = { epoch: reader.uint32(), keyId: reader.text() };
    const source = reader.uint8() === 1 ? 'simulated' : 'unknown';
    const epochSecret = reader.bytes(32).slice();
    const key = reader.uint8() === 1 ? reader.bytes(32).slice() : null;
    qkd.set(deviceId, { mark, source, epochSecret, key });
  }
  if (!reader.isIntact() || reader.offset() !== bytes.length) {
    throw new Error('Cannot use the secret of a round as it must be whole: it ends early or goes on too long');
  }
  return { roundKey, qkd };
}
