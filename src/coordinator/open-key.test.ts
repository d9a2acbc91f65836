import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../core/plan/plan.ts';
import type { Crypto } from '../ports/crypto.ts';
import { createOpenKey } from './open-key.ts';
import type { QkdKeys } from './qkd-keys.ts';
import type { DeviceQkd } from './round-secret.ts';

test('the QKD keys of a round are wiped with its key, and no earlier', async () => {
  const bytes = new Uint8Array(32).fill(7);
  const epochSecret = new Uint8Array(32).fill(9);
  const key: DeviceQkd = { mark: { epoch: 1, keyId: 'k' }, epochSecret, key: bytes, source: 'simulated' };
  const reserved = { keys: new Map([['d-1', key]]), served: (ids: readonly string[]) => ids, journaled: {} };
  const roundKey = { publicKey: bytes, exportSecret: () => new Uint8Array(4), open: async () => undefined };
  const kept = new Map<number, Uint8Array>();
  const open = createOpenKey(
    {
      plan: { security: { suite: 1 } } as Plan,
      crypto: { generateRoundKey: async () => roundKey } as unknown as Crypto,
      roundKeys: {
        put: async (round, secret) => void kept.set(round, secret.slice()),
        get: async (round) => kept.get(round),
        destroy: async (round) => void kept.delete(round),
      },
    },
    { reserve: async () => reserved } as unknown as QkdKeys,
  );
  await open.create(4, [], () => undefined);
  assert.ok(Buffer.from(kept.get(4)!).includes(bytes), 'what is kept holds the key: it is sealed where it rests');
  await open.destroy(3);
  assert.deepEqual([open.current()?.round, bytes[0]], [4, 7]);
  await open.destroy(4);
  assert.deepEqual([open.current(), kept.size], [undefined, 0]);
  assert.deepEqual([...new Set(bytes)], [0]);
  assert.deepEqual([...new Set(epochSecret)], [9], 'the secret of an epoch is carried on');
});
