import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantBudget, reserve } from '../../src/core/privacy/ledger/budget.ts';
import type { LedgerChain, LedgerEntry } from '../../src/core/privacy/ledger/chain.ts';
import {
  type AcceptedEnvelope,
  type Change,
  ConflictError,
  type Device,
  type Invitation,
  type JournalRow,
  type ModelRow,
  type Store,
} from '../../src/ports/store.ts';

const place = { orgId: 'org', runId: 'run' } as const;

const invitation = (tokenHash: string, subject = 'site'): Invitation => ({
  ...place,
  tokenHash,
  subject,
  expiresAtMs: 9,
});
const device = (deviceId: string, clientId = deviceId): Device => ({
  ...place,
  deviceId,
  clientId,
  name: 'Ward 3, "north" \u{1F3E5}',
  publicKey: 'key',
  status: 'pending',
  enrolledAtMs: 1_700_000_000_123,
});
const model = (version: number): ModelRow => ({
  ...place,
  version,
  hash: `hash-${version}`,
  parentHash: version === 0 ? null : `hash-${version - 1}`,
  round: version,
});
const envelope = (deviceId: string, more: Partial<AcceptedEnvelope> = {}): AcceptedEnvelope => ({
  ...place,
  round: 1,
  phaseId: 'train',
  deviceId,
  baseModel: 'base',
  nonce: `nonce-${deviceId}`,
  contentHash: `content-${deviceId}`,
  bytes: 1234,
  ...more,
});
const row = (sequence: number): JournalRow => {
  const entry = {
    version: 1,
    ...place,
    sequence,
    round: null,
    atMs: 5,
    kind: 'test',
    data: { text: 'é', n: 0.1 },
  } as const;
  return { entry, text: JSON.stringify(entry), leafHash: `leaf-${sequence}` };
};

const accept = (one: AcceptedEnvelope): Change => ({ kind: 'accept', envelope: one });
const invite = (one: Invitation): Change => ({ kind: 'invite', invitation: one });
const append = (entry: LedgerEntry): Change => ({ kind: 'ledger', entry });
const publish = (one: ModelRow): Change => ({ kind: 'model', model: one });
const enrol = (tokenHash: string, one: Device): Change => ({ kind: 'enrol', tokenHash, device: one });

/** A grant and a reservation. */
const chainOf = (subject: string): LedgerChain => {
  const granted = grantBudget([], {
    subject,
    purpose: 'training',
    epsilon: 8,
    delta: 1e-5,
    rule: 'plan',
    order: 4,
  });
  const steps = { noiseMultiplier: 2, sampleRate: 0.5, steps: 1 };
  const reserved = reserve(granted, { purpose: 'training', run: 'run', reservation: 'run/1', ...steps });
  assert.ok(reserved.ok);
  return reserved.chain;
};

/** Everything that a store can be asked, for comparison. */
async function everything(store: Store): Promise<unknown> {
  return {
    invitations: await store.invitations(),
    devices: await store.devices(),
    models: await store.models(),
    train: await store.accepted(1, 'train'),
    evaluate: await store.accepted(1, 'evaluate'),
    second: await store.accepted(2, 'train'),
    journal: await store.journal(0),
    ledger: await store.ledger(),
  };
}

/** What every store promises. `open` gives an empty one; `reopen`, where it can be, the same one after a restart. */
export function storeContract(name: string, open: () => Store, reopen?: (store: Store) => Promise<Store>): void {
  const contract = (promise: string, check: (store: Store) => Promise<void>) =>
    test(`${name}: ${promise}`, async () => {
      const store = open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    });

  async function refusesWhole(store: Store, changes: readonly Change[], rows: readonly JournalRow[]): Promise<void> {
    const before = await everything(store);
    await assert.rejects(store.commit(changes, rows), ConflictError);
    assert.deepEqual(await everything(store), before);
  }

  contract('keeps the ledger by subject, and refuses an entry that does not follow from its head', async (store) => {
    const [b, a] = [chainOf('b'), chainOf('a')];
    await store.commit([append(b[0]!), append(a[0]!), append(a[1]!)], [row(0)]);
    await refusesWhole(store, [append(b[1]!), append(a[1]!)], [row(1)]);
    await refusesWhole(store, [append(chainOf('c')[1]!)], []);
    await store.commit([append(b[1]!)], []);
    assert.deepEqual(await store.ledger(), [...a, ...b]);
  });

  contract('is empty at first, and can be written', async (store) => {
    assert.deepEqual(await everything(store), {
      invitations: [],
      devices: [],
      models: [],
      train: [],
      evaluate: [],
      second: [],
      journal: [],
      ledger: [],
    });
    assert.equal(await store.invitation('none'), undefined);
    await store.check();
    await store.check();
    await store.commit([], []);
  });

  contract('keeps invitations in the order in which they were made', async (store) => {
    await store.commit([invite(invitation('t2')), invite(invitation('t1'))], []);
    await store.commit([invite(invitation('t0', 'other'))], []);
    assert.deepEqual(await store.invitations(), [invitation('t2'), invitation('t1'), invitation('t0', 'other')]);
    assert.deepEqual(await store.invitation('t1'), invitation('t1'));
  });

  contract('refuses the same token twice', async (store) => {
    await store.commit([invite(invitation('t'))], []);
    await refusesWhole(store, [invite(invitation('t', 'other'))], []);
    await refusesWhole(store, [invite(invitation('u')), invite(invitation('u'))], []);
  });

  contract('enrols a device and spends its token in one step', async (store) => {
    await store.commit([invite(invitation('t'))], []);
    await store.commit([enrol('t', device('d-1', 'site'))], [row(0)]);
    assert.deepEqual(await store.devices(), [device('d-1', 'site')]);
    assert.deepEqual(await store.invitation('t'), { ...invitation('t'), spentBy: 'd-1' });
  });

  contract('refuses a spent token, an unknown one and a device that exists, and writes nothing then', async (store) => {
    await store.commit([invite(invitation('t')), invite(invitation('u')), enrol('t', device('d-1'))], [row(0)]);
    await refusesWhole(store, [publish(model(0)), enrol('t', device('d-2'))], [row(1)]);
    await refusesWhole(store, [publish(model(0)), enrol('none', device('d-2'))], [row(1)]);
    await refusesWhole(store, [publish(model(0)), enrol('u', device('d-1'))], [row(1)]);
    assert.equal((await store.invitation('u'))?.spentBy, undefined);
  });

  contract('lists devices by client and then by device, and changes their status', async (store) => {
    const all = [device('d-3', 'b'), device('d-1', 'b'), device('d-2', 'a')];
    await store.commit(
      all.flatMap((one, i) => [invite(invitation(`t${i}`)), enrol(`t${i}`, one)]),
      [],
    );
    await store.commit([{ kind: 'device-status', deviceId: 'd-1', status: 'removed' }], []);
    assert.deepEqual(await store.devices(), [all[2], { ...all[1]!, status: 'removed' }, all[0]]);
  });

  contract('refuses the status of an unknown device', async (store) => {
    await refusesWhole(store, [publish(model(0)), { kind: 'device-status', deviceId: 'none', status: 'approved' }], []);
  });

  contract('keeps accepted envelopes by round and phase, in the order of devices', async (store) => {
    await store.commit([accept(envelope('d-2')), accept(envelope('d-1'))], []);
    await store.commit([accept(envelope('d-1', { phaseId: 'evaluate', nonce: 'n2' }))], []);
    await store.commit([accept(envelope('d-1', { round: 2, nonce: 'n3' }))], []);
    assert.deepEqual(await store.accepted(1, 'train'), [envelope('d-1'), envelope('d-2')]);
    assert.deepEqual(await store.accepted(1, 'evaluate'), [envelope('d-1', { phaseId: 'evaluate', nonce: 'n2' })]);
    assert.deepEqual(await store.accepted(2, 'train'), [envelope('d-1', { round: 2, nonce: 'n3' })]);
    assert.deepEqual(await store.accepted(3, 'train'), []);
  });

  contract('accepts one envelope by device and phase, and one by device, base model and nonce', async (store) => {
    await store.commit([accept(envelope('d-1'))], [row(0)]);
    const second = envelope('d-1', { nonce: 'another', contentHash: 'another' });
    await refusesWhole(store, [publish(model(0)), accept(second)], [row(1)]);
    const replay = envelope('d-1', { round: 2, contentHash: 'another' });
    await refusesWhole(store, [publish(model(0)), accept(replay)], [row(1)]);
    await refusesWhole(store, [accept(envelope('d-2')), accept(envelope('d-2'))], [row(1)]);
    // The same nonce of another device, or on another model, is another envelope.
    await store.commit([accept(envelope('d-2', { nonce: 'nonce-d-1' }))], []);
    await store.commit([accept(envelope('d-1', { round: 2, baseModel: 'next' }))], []);
  });

  contract('keeps models by version, each once; the first has no parent', async (store) => {
    await store.commit([publish(model(0))], []);
    await store.commit([publish(model(1))], []);
    assert.deepEqual(await store.models(), [model(0), model(1)]);
    await refusesWhole(store, [accept(envelope('d-1')), publish({ ...model(1), hash: 'other' })], [row(0)]);
  });

  contract('keeps the journal in order, from any entry on, text and hash as they were', async (store) => {
    await store.commit([], [row(0), row(1)]);
    await store.commit([publish(model(0))], [row(2)]);
    assert.deepEqual(await store.journal(0), [row(0), row(1), row(2)]);
    assert.deepEqual(await store.journal(2), [row(2)]);
    assert.deepEqual(await store.journal(3), []);
  });

  contract('refuses a journal entry whose place is taken, and the changes that came with it', async (store) => {
    await store.commit([], [row(0), row(1)]);
    await refusesWhole(store, [publish(model(0))], [row(1)]);
    await refusesWhole(store, [publish(model(0))], [row(0)]);
  });

  contract('refuses a journal with a gap, before or within what is written', async (store) => {
    await store.commit([], [row(0)]);
    await refusesWhole(store, [publish(model(0))], [row(2)]);
    await refusesWhole(store, [publish(model(0))], [row(1), row(3)]);
    await refusesWhole(store, [publish(model(0))], [row(1), row(1)]);
    await store.commit([], [row(1)]);
  });

  contract('of three commits at the same moment that want one thing, exactly one is written, whole', async (store) => {
    await store.commit([invite(invitation('t'))], []);
    const results = await Promise.allSettled(
      [1, 2, 3].map((i) => store.commit([enrol('t', device(`d-${i}`)), accept(envelope(`d-${i}`))], [])),
    );
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected']);
    assert.equal((await store.devices()).length, 1);
    assert.equal((await store.accepted(1, 'train')).length, 1);
  });

  contract('gives rows that do not change when the store does', async (store) => {
    await store.commit([publish(model(0))], [row(0)]);
    const [models, journal] = [await store.models(), await store.journal(0)];
    await store.commit([publish(model(1))], [row(1)]);
    assert.equal(models.length, 1);
    assert.equal(journal.length, 1);
  });

  if (reopen !== undefined) {
    test(`${name}: is the same after it was closed and opened again`, async () => {
      let store = open();
      await store.commit([invite(invitation('t')), enrol('t', device('d-1')), publish(model(0))], [row(0)]);
      await store.commit([accept(envelope('d-1')), publish(model(1)), append(chainOf('a')[0]!)], [row(1)]);
      const before = await everything(store);
      store = await reopen(store);
      assert.deepEqual(await everything(store), before);
      await assert.rejects(store.commit([accept(envelope('d-1'))], []), ConflictError);
      await store.commit([], [row(2)]);
      await store.close();
    });
  }
}
