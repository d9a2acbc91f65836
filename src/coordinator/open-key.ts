import { suites } from '../core/protocol/suite.ts';
import type { Device } from '../ports/store.ts';
import type { CoordinatorParts, OpenRoundKey } from './parts.ts';
import type { QkdKeys, ReservedQkd } from './qkd-keys.ts';
import { decodeRoundSecret, encodeRoundSecret } from './round-secret.ts';

/** The key of the round that is open: kept wrapped for a restart, destroyed with its round. */
export type OpenKey = {
  current(): OpenRoundKey | undefined;
  of(round: number): OpenRoundKey | undefined;
  /** Makes the key of a round and reserves what goes with it; durable before it returns. */
  create(
    round: number,
    devices: readonly Device[],
    saeOf: (deviceId: string) => string | undefined,
  ): Promise<{ readonly key: OpenRoundKey; readonly qkd: ReservedQkd }>;
  /** After a restart: whether the key of the round was still there. */
  restore(round: number): Promise<boolean>;
  /** Of a round that has ended, or of one that never opened. */
  destroy(round: number): Promise<void>;
};

export function createOpenKey(
  { crypto, roundKeys, plan }: Pick<CoordinatorParts, 'crypto' | 'roundKeys' | 'plan'>,
  qkdKeys: QkdKeys,
): OpenKey {
  let open: OpenRoundKey | undefined;
  return {
    current: () => open,
    of: (round) => (open?.round === round ? open : undefined),
    async create(round, devices, saeOf) {
      const key = await crypto.generateRoundKey(suites[plan.security.suite].kem);
      const qkd = await qkdKeys.reserve(devices, saeOf);
      const ownSecret = key.exportSecret();
      const secret = encodeRoundSecret({ roundKey: ownSecret, qkd: qkd.keys });
      await roundKeys.put(round, secret);
      secret.fill(0);
      ownSecret.fill(0);
      open = { round, key, qkd: qkd.keys };
      return { key: open, qkd };
    },
    async restore(round) {
      const secret = await roundKeys.get(round);
      if (secret === undefined) return false;
      const { roundKey, qkd } = decodeRoundSecret(secret);
      open = { round, key: await crypto.importRoundKey(roundKey), qkd };
      return true;
    },
    async destroy(round) {
      await roundKeys.destroy(round);
      // Each key has served its one round; the epoch's secrets go on from what was derived of it.
      if (open?.round === round) for (const { key } of open.qkd.values()) key?.fill(0);
      if (open?.round === round) open = undefined;
    },
  };
}
