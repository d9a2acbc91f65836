import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import { statusOf } from '../../src/coordinator/status.ts';
import { type FaultyDisk, faultyDisk } from './faults.ts';
import { settle, until } from './virtual-clock.ts';
import {
  createMemoryDisk,
  createSite,
  createWorld,
  enrolRequestOf,
  keyOf,
  smallPlan,
  startCoordinator,
} from './world.ts';

async function fresh(input: Parameters<typeof smallPlan>[0] = {}) {
  const disk = createMemoryDisk();
  return { disk, ...(await startCoordinator(smallPlan(input), disk)) };
}

async function tokenOf(coordinator: Coordinator, subject?: string): Promise<string> {
  const [invited] = await coordinator.enrolment.invite(1, subject);
  return invited!.token;
}

async function code(coordinator: Coordinator, request: ReturnType<typeof enrolRequestOf>): Promise<string> {
  const result = await coordinator.enrolment.enrol(request);
  return result.ok ? 'ok' : result.code;
}

test('a token enrols one device, under the subject of the invitation', async () => {
  const { coordinator, disk } = await fresh();
  const [invited] = await coordinator.enrolment.invite(1, 'hospital-7');
  const result = await coordinator.enrolment.enrol(enrolRequestOf(invited!.token, keyOf(0)));
  assert.ok(result.ok);
  assert.equal(result.device.clientId, 'hospital-7');
  assert.equal(result.device.status, 'approved');
  assert.deepEqual(await disk.store.devices(), [result.device]);
  const [row] = await disk.store.invitations();
  assert.equal(row?.spentBy, result.device.deviceId);
});

test('neither store nor journal hold a token', async () => {
  const { coordinator, disk } = await fresh();
  const token = await tokenOf(coordinator);
  await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(0)));
  await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(1)));
  const everything = JSON.stringify([await disk.store.invitations(), await disk.store.journal(0)]);
  assert.equal(everything.includes(token), false);
});

test('a spent token is refused to another key, and gives the same answer to the same key', async () => {
  const { coordinator } = await fresh();
  const token = await tokenOf(coordinator);
  const request = enrolRequestOf(token, keyOf(0));
  const first = await coordinator.enrolment.enrol(request);
  assert.deepEqual(await coordinator.enrolment.enrol(request), first);
  assert.deepEqual(await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(0))), first);
  assert.equal(await code(coordinator, enrolRequestOf(token, keyOf(1))), 'spent-token');
  assert.equal(coordinator.snapshot().devices.size, 1);
});

test('a replayed request does not enrol a second device, also after a restart', async () => {
  const { coordinator, disk } = await fresh();
  const request = enrolRequestOf(await tokenOf(coordinator), keyOf(0));
  const first = await coordinator.enrolment.enrol(request);
  const { coordinator: next } = await startCoordinator(smallPlan(), disk);
  assert.deepEqual(await next.enrolment.enrol(request), first);
  assert.equal(next.snapshot().devices.size, 1);
});

test('a guessed token, a proof of another key, of another token and of another server are refused', async () => {
  const { coordinator } = await fresh();
  const token = await tokenOf(coordinator);
  const good = enrolRequestOf(token, keyOf(0));
  assert.equal(await code(coordinator, enrolRequestOf('guessed-token-000000', keyOf(0))), 'unknown-token');
  assert.equal(await code(coordinator, { ...good, proof: enrolRequestOf(token, keyOf(1)).proof }), 'bad-proof');
  const other = await tokenOf(coordinator);
  assert.equal(await code(coordinator, { ...good, proof: enrolRequestOf(other, keyOf(0)).proof }), 'bad-proof');
  // Somebody who has heard a request knows the invitation's public key, and cannot sign for a device of its own.
  const own = { ...enrolRequestOf(other, keyOf(1)), invitation: good.invitation };
  assert.equal(await code(coordinator, own), 'bad-proof');
  assert.equal(await code(coordinator, { ...own, voucher: good.voucher }), 'bad-proof');
  const tampered = Uint8Array.fromBase64(good.proof);
  tampered[100]! ^= 1;
  assert.equal(await code(coordinator, { ...good, proof: tampered.toBase64() }), 'bad-proof');
  // None of it has spent the token.
  assert.equal(await code(coordinator, good), 'ok');
});

test('an expired token is refused, and one that is used on its last millisecond is not', async () => {
  const { coordinator, clock } = await fresh({ enrolment: { linkHours: 1 } });
  const [a, b] = [await tokenOf(coordinator), await tokenOf(coordinator)];
  clock.advance(3_600_000);
  assert.equal(await code(coordinator, enrolRequestOf(a, keyOf(0))), 'ok');
  clock.advance(1);
  assert.equal(await code(coordinator, enrolRequestOf(b, keyOf(1))), 'expired-token');
  // The device that is enrolled may still ask for its answer.
  assert.equal(await code(coordinator, enrolRequestOf(a, keyOf(0))), 'ok');
});

test('of 8 keys that spend one token at the same moment exactly one is enrolled', async () => {
  const { coordinator, disk } = await fresh();
  const token = await tokenOf(coordinator);
  const requests = Array.from({ length: 8 }, (_, i) => enrolRequestOf(token, keyOf(i)));
  const codes = await Promise.all(requests.map((request) => code(coordinator, request)));
  assert.deepEqual(codes.toSorted(), ['ok', ...Array.from({ length: 7 }, () => 'spent-token')]);
  assert.equal((await disk.store.devices()).length, 1);
});

test('an answer that was lost with the coordinator is given again to the same key', async () => {
  const real = createMemoryDisk();
  const disk: FaultyDisk = faultyDisk(real, (_, name) => (/device\.enrolled/.test(name) ? 'die-after' : undefined));
  const { coordinator } = await startCoordinator(smallPlan(), disk);
  const request = enrolRequestOf(await tokenOf(coordinator), keyOf(0));
  let isAnswered = false;
  void coordinator.enrolment.enrol(request).then(() => (isAnswered = true));
  await until(disk.isDead, 'the device is written');
  await settle(5);
  assert.equal(isAnswered, false);
  const { coordinator: next } = await startCoordinator(smallPlan(), real);
  assert.equal(await code(next, request), 'ok');
  assert.equal(next.snapshot().devices.size, 1);
});

test('a key that is enrolled under one token cannot spend another', async () => {
  const { coordinator } = await fresh();
  const [a, b] = [await tokenOf(coordinator), await tokenOf(coordinator)];
  assert.equal(await code(coordinator, enrolRequestOf(a, keyOf(0))), 'ok');
  assert.equal(await code(coordinator, enrolRequestOf(b, keyOf(0))), 'spent-token');
});

test('a site that enrols again replaces its device: one client, one voice', async () => {
  const { coordinator } = await fresh();
  const first = await coordinator.enrolment.enrol(enrolRequestOf(await tokenOf(coordinator, 'site-a'), keyOf(0)));
  const second = await coordinator.enrolment.enrol(enrolRequestOf(await tokenOf(coordinator, 'site-a'), keyOf(1)));
  assert.ok(first.ok && second.ok);
  const { devices } = coordinator.snapshot();
  assert.equal(devices.get(first.device.deviceId)?.status, 'removed');
  assert.equal(devices.get(second.device.deviceId)?.status, 'approved');
  assert.equal(second.device.clientId, first.device.clientId);
});

test('a site that enrols again within a round is not away when its old connection goes', async () => {
  const world = await createWorld({ disk: createMemoryDisk() });
  const { coordinator, sites } = world;
  const leave = sites.map((site) => site.listen(coordinator));
  await until(() => coordinator.snapshot().run.round !== null, 'round 1 opens');
  const { clientId } = sites[0]!.device;
  const token = await tokenOf(coordinator, clientId);
  const again = await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(5)));
  assert.ok(again.ok);
  createSite(again.device, keyOf(5)).listen(coordinator);
  await settle(3);
  leave[0]!();
  await settle(3);
  assert.equal(Object.hasOwn(coordinator.snapshot().run.round!.absentSinceMs, clientId), false);
});

test('with manual approval a device waits, hears that it waits, takes part when approved, and stops when removed', async () => {
  const plan = smallPlan({ enrolment: { approve: 'manual' }, cohort: { expected: 1, quorum: 1 } });
  const { coordinator, parts } = await startCoordinator(plan, createMemoryDisk());
  const result = await coordinator.enrolment.enrol(enrolRequestOf(await tokenOf(coordinator), keyOf(0)));
  assert.ok(result.ok);
  assert.equal(result.device.status, 'pending');
  const site = createSite(result.device, keyOf(0));
  site.listen(coordinator);
  await settle(3);
  assert.deepEqual(
    site.heard.map(({ state, reason }) => [state, reason]),
    [['wait', 'waiting for approval']],
  );
  assert.equal(coordinator.snapshot().run.round, null);
  const seen = () => statusOf(coordinator, parts).devices.map((one) => [one.status, one.isConnected]);
  assert.deepEqual(seen(), [['pending', true]], 'the operator sees that the device waits and is there');
  await coordinator.enrolment.setStatus(result.device.deviceId, 'approved');
  await until(() => site.heard.at(-1)?.state === 'work', 'the approved device is asked to work');
  await coordinator.enrolment.setStatus(result.device.deviceId, 'removed');
  await until(() => site.heard.at(-1)?.state === 'done', 'the removed device hears that it is done');
  assert.equal(site.heard.at(-1)?.end, 'removed');
  assert.match(site.heard.at(-1)?.reason ?? '', /^removed by the operator/);
});

test('nobody enrols in a run that was stopped', async () => {
  const { coordinator } = await fresh();
  const token = await tokenOf(coordinator);
  await coordinator.stop('enough');
  assert.equal(await code(coordinator, enrolRequestOf(token, keyOf(0))), 'run-ended');
});

test('2,000 refused enrolments do not fill the journal: anybody can send them', async () => {
  const { coordinator, disk } = await fresh();
  const request = enrolRequestOf('guessed-token-000000', keyOf(0));
  const strangers = [keyOf(1), keyOf(2)].map(({ publicKey }) => publicKey.toBase64());
  const before = (await disk.store.journal(0)).length;
  for (let i = 0; i < 2000; i++) {
    assert.equal(await code(coordinator, { ...request, invitation: strangers[i % 2]! }), 'unknown-token');
  }
  assert.ok((await disk.store.journal(0)).length - before <= 1000);
});

test('setStatus() of an unknown device gives undefined and writes nothing', async () => {
  const { coordinator, disk } = await fresh();
  const before = (await disk.store.journal(0)).length;
  assert.equal(await coordinator.enrolment.setStatus('d-none', 'removed'), undefined);
  assert.equal((await disk.store.journal(0)).length, before);
});

test('tokens have 192 bits and subjects are the next free names', async () => {
  const { coordinator } = await fresh();
  await coordinator.enrolment.invite(1, 'client-02');
  const invited = await coordinator.enrolment.invite(3);
  assert.deepEqual(
    invited.map(({ subject }) => subject),
    ['client-01', 'client-03', 'client-04'],
  );
  assert.equal(new Set(invited.map(({ token }) => token)).size, 3);
  for (const { token } of invited) assert.equal(Buffer.from(token, 'base64url').length, 24);
});
