// A site that cannot contribute says so, signed; nobody waits for it. And one device has one connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { takePart } from '../../src/client/agent.ts';
import { RefusedError, TrainerError } from '../../src/client/ends.ts';
import { type DeclineRequest, declineBytes } from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { bodyOf, createHttpsWorld, type HttpsWorld, tlsIdentity } from './https-world.ts';
import { until } from './virtual-clock.ts';
import { crypto, deflate, fakeTrainer, smallPlan } from './world.ts';

// The deadline never comes: a round that waits for a broken site would never end.
const plan = smallPlan({
  rounds: { count: 2, attempts: 2 },
  cohort: { expected: 2, quorum: 1, deadlineSeconds: 86_400, absenceGraceSeconds: 86_400 },
});
const broken: Trainer = { ...fakeTrainer, train: () => Promise.reject(new Error('no more memory')) };

type EnrolledSite = Awaited<ReturnType<HttpsWorld['enrolSite']>>;

function agent({ identity, transport }: EnrolledSite, trainer: Trainer, said: string[] = []) {
  const parts = {
    identity,
    transport,
    trainer,
    memory: createVolatileSiteMemory(),
    crypto,
    deflate,
    entropy: createNodeEntropy(),
    clock: createSystemClock(),
    saveIdentity: async () => {},
  };
  return takePart({ ...parts, pin: tlsIdentity.pin, patienceMs: 1000, say: (text) => said.push(text) });
}

async function inWorld(use: (world: HttpsWorld) => Promise<void>, ownPlan = plan): Promise<void> {
  const world = await createHttpsWorld({ plan: ownPlan });
  try {
    await use(world);
  } finally {
    await world.close();
  }
}

test('a site whose training fails declines: the rounds close at once without it, and the record says so', () =>
  inWorld(async (world) => {
    const sites = [await world.enrolSite(), await world.enrolSite()];
    const said: string[] = [];
    const outcomes = await Promise.all([agent(sites[0]!, broken, said), agent(sites[1]!, fakeTrainer)]);
    assert.deepEqual(
      outcomes.map(({ end, contributions }) => [end, contributions]),
      [
        ['completed', 2],
        ['completed', 4],
      ],
    );
    assert.deepEqual(said, ['round 1: no more memory', 'round 2: no more memory']);
    const { clientId } = sites[0]!.identity;
    for (const record of world.coordinator.snapshot().run.records) {
      assert.deepEqual(record.declined, [clientId]);
      assert.deepEqual(record.accepted, [sites[1]!.identity.clientId]);
    }
  }));

test('rounds that everybody declines fail at once, and a trainer that fails three times ends the site with its reason', () =>
  inWorld(
    async (world) => {
      const site = await world.enrolSite();
      await assert.rejects(agent(site, broken), (error: Error) => {
        assert.ok(error instanceof TrainerError);
        assert.match(error.message, /it failed 3 times in a row, last with: no more memory/);
        return true;
      });
      await until(() => world.coordinator.snapshot().run.records.length === 3, 'three rounds have failed');
    },
    smallPlan({ rounds: { count: 1, attempts: 9 }, cohort: { ...plan.cohort, expected: 1, size: 1 } }),
  ));

test('a decline counts only when the device has signed it for this phase', () =>
  inWorld(async (world) => {
    const [first, second] = [await world.enrolSite(), await world.enrolSite()];
    const held = Promise.withResolvers<never>();
    const waiting: Trainer = { ...fakeTrainer, train: () => held.promise };
    for (const site of [first, second]) agent(site, waiting).catch(() => {});
    await until(() => world.coordinator.snapshot().run.round !== null, 'a round opens');
    const { orgId, runId, deviceId, signingSeed } = first.identity;
    const key = crypto.importSigningKey(Uint8Array.fromBase64(signingSeed));
    const good = { version: 1, orgId, runId, deviceId, round: 1, phaseId: 'train', reason: 'trainer-failed' } as const;
    const session = await first.session();
    const sign = (decline: DeclineRequest['decline'], purpose: keyof typeof purposes = 'decline') =>
      key.sign(purposes[purpose], declineBytes(decline)).toBase64();
    const send = async (decline: object, signature: string) => {
      const path = `/v1/orgs/${orgId}/runs/${runId}/declines`;
      const reply = await first.transport.request({ method: 'POST', path, session, json: { decline, signature } });
      return [reply.status, bodyOf(reply).error];
    };
    const declined = () => world.coordinator.snapshot().run.facts?.declined;
    assert.deepEqual(await send(good, sign(good, 'session')), [422, 'bad-signature']);
    assert.deepEqual(await send({ ...good, round: 2 }, sign(good)), [422, 'bad-signature']);
    const other = { ...good, deviceId: second.identity.deviceId };
    assert.deepEqual(await send(other, sign(other)), [422, 'bad-signature']);
    const late = { ...good, phaseId: 'evaluate' };
    assert.deepEqual(await send(late, sign(late)), [409, 'round-closed']);
    assert.deepEqual(await send({ ...good, reason: 'the name of a patient' }, sign(good)), [400, 'malformed']);
    assert.deepEqual(declined(), []);
    assert.deepEqual(await send(good, sign(good)), [200, undefined]);
    assert.deepEqual(declined(), [first.identity.clientId]);
    assert.deepEqual(await send(good, sign(good)), [200, undefined], 'once more is no harm');
    const rows = (await world.coordinator.journal(0)).filter(({ entry }) => entry.kind === 'client.declined');
    assert.equal(rows.length, 1);
    const signature = Uint8Array.fromBase64(rows[0]!.entry.data['signature'] as string);
    assert.ok(await crypto.verify(key.publicKey, purposes.decline, declineBytes(good), signature), 'evidence');
  }));

test('a second process with the same key takes the place of the first, which ends and says why', () =>
  inWorld(async (world) => {
    const site = await world.enrolSite();
    const first = agent(site, fakeTrainer);
    await until(() => world.coordinator.connectedClients().length === 1, 'the first is there');
    const second = agent({ ...site, transport: world.transport() }, fakeTrainer);
    await assert.rejects(first, (error: Error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, /Another process takes part with the key of this device/);
      return true;
    });
    assert.equal(world.coordinator.connectedClients().length, 1, 'the second is there');
    await world.coordinator.stop('enough');
    assert.equal((await second).end, 'stopped');
  }));
