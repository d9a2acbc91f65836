import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enrol } from '../../src/client/enrol.ts';
import { parseLink } from '../../src/client/link.ts';
import { openSession } from '../../src/client/session.ts';
import { createAnnouncer } from '../../src/coordinator/announcer.ts';
import { credentialOf, parseCredential } from '../../src/core/protocol/channel-binding.ts';
import { enrolmentRequest } from '../../src/core/protocol/invitation.ts';
import { type EnrolRequest, sessionProofBytes } from '../../src/core/protocol/messages.ts';
import { purposes } from '../../src/core/protocol/purposes.ts';
import { suiteDefault } from '../../src/core/protocol/suite.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import { TransportError } from '../../src/ports/transport.ts';
import {
  bodyOf,
  createHttpsWorld,
  type HttpsWorld,
  memoryIdentity,
  ownerToken,
  tlsIdentity,
} from '../system/https-world.ts';
import { sendRaw } from '../system/raw-socket.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, keyOf } from '../system/world.ts';
import { createRelay } from './relay.ts';

/*
 * A man in the middle who holds the coordinator's TLS key, so that the pin holds and nothing is amiss at either end: what
 * a site signs for its own connection opens nothing on another one (RFC 9266, tls-exporter).
 */

let world: HttpsWorld;
const entries: JournalEntry[] = [];
before(async () => {
  world = await createHttpsWorld();
  world.coordinator.onCommit((rows) => entries.push(...rows.map(({ entry }) => entry)));
});
after(() => world.close());

const journaled = (kind: string) => entries.filter((entry) => entry.kind === kind);

async function victim() {
  const site = await world.enrolSite();
  const key = crypto.importSigningKey(Uint8Array.fromBase64(site.identity.signingSeed));
  const path = `/v1/orgs/org/runs/run/models/${world.coordinator.snapshot().models[0]!.hash}`;
  return { ...site, key, deviceId: site.identity.deviceId, path };
}

test('relay: a session that a site opens through somebody in between is refused and journaled, and the site says so', async () => {
  const { deviceId, key } = await victim();
  const relay = await createRelay(world.port);
  try {
    const through = world.transport(relay.port);
    // The relay is good enough for what nobody signs for a connection: this is the control.
    assert.equal((await through.request({ method: 'GET', path: '/health' })).status, 200);
    await assert.rejects(openSession(through, { deviceId, key, pin: tlsIdentity.pin }), (error: Error) => {
      assert.ok(error instanceof TransportError && error.kind === 'security');
      assert.match(error.message, /somebody is in between/);
      return true;
    });
    await until(() => journaled('channel.differs').length === 1, 'journaled');
    assert.deepEqual(journaled('channel.differs')[0]!.data, { code: 'exporter', deviceId });
  } finally {
    relay.close();
  }
});

test('relay: to write the name of its own connection over that of the site breaks the signature', async () => {
  const { deviceId, key } = await victim();
  const before = journaled('proof.refused').length;
  const relay = await createRelay(world.port, (text, channel) =>
    text.replace(/"channel":"[0-9a-f]{64}"/, `"channel":"${channel}"`),
  );
  try {
    const opening = openSession(world.transport(relay.port), { deviceId, key, pin: tlsIdentity.pin });
    await assert.rejects(opening, /does not know this device/);
    assert.match(relay.heard(), /"channel":"[0-9a-f]{64}"/);
    await until(() => journaled('proof.refused').length === before + 1, 'journaled');
    assert.deepEqual(journaled('proof.refused').at(-1)!.data, { code: 'session', deviceId });
  } finally {
    relay.close();
  }
});

test('relay: what it hears of a session that was opened before is good for no connection of its own', async () => {
  const { transport, session, path, key, deviceId } = await victim();
  const token = await session();
  assert.equal((await transport.request({ method: 'GET', path, session: token })).status, 200);
  const relay = await createRelay(world.port);
  try {
    // The site goes on through the relay: refused there, and what it has heard is not the session.
    const through = world.transport(relay.port);
    assert.equal((await through.request({ method: 'GET', path, session: token })).status, 401);
    const [, heard] = /authorization: Bearer (\S+)/i.exec(relay.heard())!;
    assert.notEqual(parseCredential(heard!), undefined);
    assert.equal(relay.heard().includes(token.slice('session.'.length)), false);
    const ask = (credential: (channel: string) => string) =>
      sendRaw(
        world.port,
        (channel) => `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${credential(channel)}\r\n\r\n`,
      );
    assert.match(await ask(() => heard!), /^HTTP\/1\.1 401 /);
    // A proof made for this connection, and the session itself sent as it is: right and wrong.
    assert.match(await ask((channel) => credentialOf(token, channel)), /^HTTP\/1\.1 200 /);
    assert.match(await ask(() => token), /^HTTP\/1\.1 401 /);
    const refusals = () => journaled('request.refused').map(({ data }) => data['code']);
    await until(() => refusals().includes('not-authenticated'), 'journaled');
  } finally {
    relay.close();
  }
  await openSession(transport, { deviceId, key, pin: tlsIdentity.pin });
});

test("unknown key share: a session that somebody in between opens as itself is not one of the site's", async () => {
  const { deviceId, key, path } = await victim();
  const hostile = await victim();
  const challengeOf = async () => {
    const json = { deviceId: hostile.deviceId };
    return bodyOf(await hostile.transport.request({ method: 'POST', path: '/v1/challenges', json }))['challenge'];
  };
  const challenge = (await challengeOf()) as string;
  // It answers in the site's place with its own device, key and connection: the coordinator opens a session, for it.
  const relay = await createRelay(world.port, (text, channel) => {
    if (!text.startsWith('POST /v1/sessions')) return text;
    const said = { deviceId: hostile.deviceId, challenge, pin: tlsIdentity.pin, channel };
    const proof = hostile.key.sign(purposes.session, sessionProofBytes(said)).toBase64();
    const body = JSON.stringify({ deviceId: hostile.deviceId, challenge, channel, proof });
    return `POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  });
  try {
    const through = world.transport(relay.port);
    const session = await openSession(through, { deviceId, key, pin: tlsIdentity.pin });
    // The site takes it for its own; no request under it is taken, as each proves it for the site's connection.
    assert.equal((await through.request({ method: 'GET', path, session })).status, 401);
    await until(
      () => journaled('request.refused').some(({ data }) => data['code'] === 'not-authenticated'),
      'journaled',
    );
  } finally {
    relay.close();
  }
});

const linkThrough = (port: number, token: string) => ({ ...parseLink(world.linkOf(token)), port });
const enrolThrough = (port: number, token: string) =>
  enrol({
    link: linkThrough(port, token),
    name: 'site',
    store: memoryIdentity(),
    crypto,
    transport: world.transport(port),
  });

test('relay: a site that enrols through somebody in between is refused and journaled, and its link is not used up', async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  const before = journaled('channel.differs').length;
  const relay = await createRelay(world.port);
  try {
    await assert.rejects(enrolThrough(relay.port, invited!.token), (error: Error) => {
      assert.ok(error instanceof TransportError && error.kind === 'security');
      assert.match(error.message, /somebody is in between/);
      return true;
    });
    await until(() => journaled('channel.differs').length === before + 1, 'journaled');
    const { code, invitation } = journaled('channel.differs').at(-1)!.data;
    assert.equal(code, 'exporter');
    const [row] = (await world.parts.store.invitations()).filter(({ subject }) => subject === invited!.subject);
    assert.ok(row!.tokenHash.startsWith(invitation as string) && row!.spentBy === undefined);
    assert.equal(relay.heard().includes(invited!.token), false);
  } finally {
    relay.close();
  }
  await enrolThrough(world.port, invited!.token);
});

test('stolen token: what somebody in between hears of an enrolment enrols no device of its own, changed or repeated', async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  const thief = keyOf(11);
  const refusals = () => journaled('enrolment.refused').filter(({ data }) => data['code'] === 'bad-proof').length;
  const changes: ((said: EnrolRequest, channel: string) => EnrolRequest)[] = [
    // The channel written over with its own.
    (said, channel) => ({ ...said, channel }),
    // Its own key in place of the site's, with a proof by it, under the site's voucher and under one of its own making.
    (said, channel) => {
      const own = enrolmentRequest({ ...guess, key: thief, channel }, crypto);
      return { ...own, invitation: said.invitation, voucher: said.voucher };
    },
    (said, channel) => ({
      ...enrolmentRequest({ ...guess, key: thief, channel }, crypto),
      invitation: said.invitation,
    }),
  ];
  const guess = { token: 'g'.repeat(32), suite: suiteDefault, name: 'thief', pin: tlsIdentity.pin };
  for (const change of changes) {
    const before = refusals();
    const relay = await createRelay(world.port, (text, channel) => {
      const [head, body] = text.split('\r\n\r\n');
      if (!head!.startsWith('POST /v1/enrol')) return text;
      const json = JSON.stringify(change(JSON.parse(body!) as EnrolRequest, channel));
      return `${head!.replace(/content-length: \d+/i, `content-length: ${json.length}`)}\r\n\r\n${json}`;
    });
    try {
      await assert.rejects(enrolThrough(relay.port, invited!.token), /This link cannot be used/);
      await until(() => refusals() === before + 1, 'journaled');
    } finally {
      relay.close();
    }
  }
  assert.equal(
    [...world.coordinator.snapshot().devices.values()].some(({ name }) => name === 'thief'),
    false,
  );
  await enrolThrough(world.port, invited!.token);
});

test("relay: the owner's token is not heard in between, and what is heard of it administers nothing", async () => {
  const relay = await createRelay(world.port);
  const path = '/v1/admin/status';
  try {
    const call = { method: 'GET', path, session: ownerToken } as const;
    assert.equal((await world.transport().request(call)).status, 200);
    const before = journaled('request.refused').length;
    assert.equal((await world.transport(relay.port).request(call)).status, 401);
    assert.equal(relay.heard().includes(ownerToken), false);
    const [, heard] = /authorization: Bearer (\S+)/i.exec(relay.heard())!;
    const text = `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${heard}\r\n\r\n`;
    assert.match(await sendRaw(world.port, text), /^HTTP\/1\.1 401 /);
    await until(() => journaled('request.refused').length > before, 'journaled');
    assert.equal(journaled('request.refused').at(-1)!.data['code'], 'not-authenticated');
  } finally {
    relay.close();
  }
});

test('a server with the stolen TLS key that answers in the place of the coordinator enrols no site: its root key is another', async () => {
  const [invited] = await world.coordinator.enrolment.invite(1);
  // All that the coordinator says, under a root key of its own, over the right pin.
  const own = await createHttpsWorld({
    parts: { announcer: createAnnouncer(keyOf(12), { orgId: 'org', runId: 'run' }, keyOf(13)) },
  });
  try {
    const key = crypto.generateSigningKey();
    const said = { token: invited!.token, suite: suiteDefault, name: 'site', key, pin: tlsIdentity.pin };
    // It takes any invitation for a good one.
    own.coordinator.enrolment.enrol = async (asked) => ({
      ok: true,
      device: {
        orgId: 'org',
        runId: 'run',
        deviceId: 'd-1',
        clientId: 'client-01',
        name: asked.name,
        publicKey: asked.publicKey,
        status: 'approved',
        enrolledAtMs: 0,
      },
    });
    const jsonOver = (channel: string) => enrolmentRequest({ ...said, channel }, crypto);
    const raw = await own.transport().request({ method: 'POST', path: '/v1/enrol', jsonOver });
    assert.equal(raw.status, 200, 'the control: it answers as the coordinator would');
    await assert.rejects(enrolThrough(own.port, invited!.token), (error: Error) => {
      assert.ok(error instanceof TransportError && error.kind === 'security');
      assert.match(error.message, /does not hold the root key that the link names/);
      return true;
    });
  } finally {
    await own.close();
  }
});
