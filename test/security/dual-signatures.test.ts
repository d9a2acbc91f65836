import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { enrol } from '../../src/client/enrol.ts';
import { parseLink } from '../../src/client/link.ts';
import { openSession } from '../../src/client/session.ts';
import { statusOf } from '../../src/coordinator/status.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { parsePlan, PlanError } from '../../src/core/plan/plan.ts';
import { encodeEnvelope, parseEnvelope } from '../../src/core/protocol/envelope.ts';
import { enrolmentRequest } from '../../src/core/protocol/invitation.ts';
import { type Announcement, keyRotationBytes } from '../../src/core/protocol/messages.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { certifyKey, isCertified } from '../../src/core/protocol/key-certificate.ts';
import { preimageOf, purposes } from '../../src/core/protocol/purposes.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import { partMessage } from '../../src/core/protocol/signature-scheme.ts';
import { isOfSuite } from '../../src/core/protocol/suite.ts';
import type { SigningKey } from '../../src/ports/crypto.ts';
import { bodyOf, createHttpsWorld, memoryIdentity, tlsIdentity } from '../system/https-world.ts';
import { killAll, runToEnd, start } from '../system/processes.ts';
import { until } from '../system/virtual-clock.ts';
import { crypto, d, deflate, smallPlan } from '../system/world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-dual-'));
after(() => {
  killAll();
  rmSync(root, { recursive: true, force: true });
});

const dual = 'Ed25519+ML-DSA-65';
const base = '/v1/orgs/org/runs/run';
const message = new TextEncoder().encode('message');
const flip = (bytes: Uint8Array, at: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

test('dual: both parts must verify; one that is forged, left out, doubled, swapped or of another message counts for none', async () => {
  const [key, other] = [crypto.generateSigningKey(dual), crypto.generateSigningKey(dual)];
  const holds = (publicKey: Uint8Array, signature: Uint8Array) =>
    crypto.verify(publicKey, purposes.envelope, message, signature);
  const signature = key.sign(purposes.envelope, message);
  assert.equal(signature.length, 64 + 3309);
  assert.ok(await holds(key.publicKey, signature));
  assert.deepEqual(crypto.importSigningKey(key.exportSeed()).publicKey, key.publicKey);
  const [classical, quantum] = [signature.subarray(0, 64), signature.subarray(64)];
  const anew = other.sign(purposes.envelope, message);
  const bad: [string, Uint8Array][] = [
    ['Ed25519 forged', flip(signature, 3)],
    ['ML-DSA forged', flip(signature, 64 + 3)],
    ['ML-DSA alone', quantum],
    ['Ed25519 alone', classical],
    ['zeros for Ed25519', Buffer.concat([new Uint8Array(64), quantum])],
    ['zeros for ML-DSA', Buffer.concat([classical, new Uint8Array(3309)])],
    ['swapped', Buffer.concat([quantum, classical])],
    ['Ed25519 of another', Buffer.concat([anew.subarray(0, 64), quantum])],
    ['ML-DSA of another', Buffer.concat([classical, anew.subarray(64)])],
    ['one byte more', Buffer.concat([signature, new Uint8Array(1)])],
    ['nothing', new Uint8Array()],
  ];
  for (const [name, forged] of bad) assert.equal(await holds(key.publicKey, forged), false, name);
});

test('dual: a part taken out verifies under its own public key as nothing, nor beside another partner', async () => {
  const [key, other] = [crypto.generateSigningKey(dual), crypto.generateSigningKey(dual)];
  const signature = key.sign(purposes.envelope, message);
  const quantumKey = key.publicKey.subarray(32);
  assert.equal(await crypto.verify(quantumKey, purposes.envelope, message, signature.subarray(64)), false);
  // The same ML-DSA key under another Ed25519 key: what was signed names the pair.
  const mixed = Buffer.concat([other.publicKey.subarray(0, 32), quantumKey]);
  const mixedSignature = Buffer.concat([
    other.sign(purposes.envelope, message).subarray(0, 64),
    signature.subarray(64),
  ]);
  assert.equal(await crypto.verify(mixed, purposes.envelope, message, mixedSignature), false);
});

test('dual: each part is what its standard says: Ed25519 of Node alone, ML-DSA of another implementation (noble)', () => {
  const key = crypto.generateSigningKey(dual);
  const seed = key.exportSeed();
  assert.deepEqual(ml_dsa65.keygen(seed.subarray(32)).publicKey, Uint8Array.from(key.publicKey.subarray(32)));
  const signature = key.sign(purposes.session, message);
  const bytes = partMessage(dual, key.publicKey, preimageOf(purposes.session, message));
  const context = new TextEncoder().encode(purposes.session);
  const raw = Buffer.from(key.publicKey.subarray(0, 32));
  const classical = createPublicKey({ key: raw, format: 'raw-public', asymmetricKeyType: 'ed25519' });
  assert.ok(verify(null, bytes, classical, signature.subarray(0, 64)));
  assert.ok(ml_dsa65.verify(signature.subarray(64), bytes, key.publicKey.subarray(32), { context }));
  assert.ok(!ml_dsa65.verify(signature.subarray(64), bytes, key.publicKey.subarray(32)));
});

const plan = smallPlan({
  security: { suite: 3 },
  cohort: { expected: 2, quorum: 2, deadlineSeconds: 3600 },
});

test('dual over sockets: half a key, half a signature and another suite are refused and journaled; both halves are counted', async () => {
  const world = await createHttpsWorld({ plan });
  const journaled: string[] = [];
  world.coordinator.onCommit((rows) =>
    journaled.push(...rows.map(({ entry }) => `${entry.kind} ${String(entry.data['code'] ?? '')}`)),
  );
  try {
    assert.equal(statusOf(world.coordinator, world.parts).channel.signature, dual);
    const { identity, transport, session } = await world.enrolSite();
    const second = await world.enrolSite();
    world.coordinator.connect(world.coordinator.snapshot().devices.get(second.identity.deviceId)!, null, () => {});
    const seed = Uint8Array.fromBase64(identity.signingSeed);
    assert.equal(seed.length, 64);
    const key = crypto.importSigningKey(seed);
    const half = crypto.importSigningKey(seed.subarray(32));

    // Enrolment: a link that somebody cut the suite out of makes ML-DSA keys alone, and its invitation is none of ours.
    const [invited] = await world.coordinator.enrolment.invite(1);
    const cut = { ...parseLink(world.linkOf(invited!.token)), suite: undefined };
    await assert.rejects(
      enrol({ link: cut, name: 'cut', store: memoryIdentity(), crypto, transport: world.transport() }),
      /link/,
    );
    assert.ok(journaled.includes('enrolment.refused unknown-token'));
    // Under the whole invitation, half a key of the device: the plan does not take it.
    const said = { token: invited!.token, suite: 3, name: 'half', key: half, pin: tlsIdentity.pin } as const;
    const jsonOver = (channel: string) => enrolmentRequest({ ...said, channel }, crypto);
    const reply = await world.transport().request({ method: 'POST', path: '/v1/enrol', jsonOver });
    assert.equal(reply.status, 403);
    assert.ok(journaled.includes('enrolment.refused bad-proof'));

    // A session: with half of the key, and with half of the signature blanked.
    const { deviceId } = identity;
    const blanked = (from: number, to: number): SigningKey => ({
      publicKey: key.publicKey,
      sign: (purpose, bytes) => Uint8Array.from(key.sign(purpose, bytes)).fill(0, from, to),
    });
    for (const forger of [half, blanked(0, 64), blanked(64, 3373)]) {
      await assert.rejects(openSession(transport, { deviceId, key: forger, pin: world.parts.pin }));
    }

    const own = await session();
    const heard: Announcement[] = [];
    world.coordinator.connect(world.coordinator.snapshot().devices.get(deviceId)!, null, ({ announcement }) =>
      heard.push(announcement),
    );
    await until(() => heard.at(-1)?.state === 'work', 'round 1 is announced');
    const announcement = heard.at(-1)!;
    assert.equal(announcement.suite, 3);
    const sealed = (device: SigningKey, suite: 1 | 3) =>
      sealEnvelope(
        {
          kind: 'update',
          suite,
          codec: codecs['float16-zstd'].wireId,
          orgId: 'org',
          runId: 'run',
          deviceId,
          round: announcement.round,
          baseModel: Uint8Array.fromHex(announcement.baseModel),
          layout: Uint8Array.fromHex(announcement.layout),
        },
        encodePayload({ claimedExamples: 5 }, codecs['float16-zstd'].encode(new Float32Array(d).fill(0.01), deflate)),
        { round: Uint8Array.fromBase64(announcement.roundKey), device },
        crypto,
      );
    const send = (bytes: Uint8Array) =>
      transport.request({ method: 'POST', path: `${base}/contributions`, session: own, bytes });
    const codeOf = async (bytes: Uint8Array) => {
      const reply = await send(bytes);
      assert.ok(reply.status >= 400, `${reply.status}`);
      return bodyOf(reply).error;
    };
    // Suite 1 is a whole suite with a valid signature of the ML-DSA half: the plan does not name it.
    await codeOf(await sealed(half, 1));
    assert.ok(
      journaled.some((line) => line.endsWith('wrong-suite')),
      journaled.join(),
    );
    // Suite 3 with one half forged, then the other; with the ML-DSA signature alone the head is too short.
    const good = await sealed(key, 3);
    const parsed = parseEnvelope(good);
    assert.ok(parsed.ok);
    const { signature } = parsed.value;
    for (const at of [5, 64 + 5]) {
      await codeOf(encodeEnvelope({ ...parsed.value, signature: flip(signature, at) }));
    }
    assert.equal(journaled.filter((line) => line.endsWith('bad-signature')).length, 2, journaled.join());
    await codeOf(encodeEnvelope({ ...parsed.value, signature: signature.subarray(64) }));
    assert.ok(
      journaled.some((line) => line.endsWith('malformed')),
      journaled.join(),
    );

    // A new key of one algorithm: refused, whoever signs for it.
    const weaker = crypto.generateSigningKey();
    const rotation = {
      version: 1,
      orgId: 'org',
      runId: 'run',
      deviceId,
      publicKey: weaker.publicKey.toBase64(),
    } as const;
    const bytes = keyRotationBytes(rotation);
    const asked = await transport.request({
      method: 'POST',
      path: `${base}/keys`,
      session: own,
      json: {
        rotation,
        signature: key.sign(purposes.deviceKey, bytes).toBase64(),
        proof: weaker.sign(purposes.deviceKey, bytes).toBase64(),
      },
    });
    assert.equal(asked.status, 422);

    assert.ok((await send(good)).status < 300);
  } finally {
    await world.close();
  }
});

test('dual announcements: a site trusts one that both parts have signed, and none with a part forged, left out or single', async () => {
  const run = { orgId: 'org', runId: 'run' };
  const [root, key, single] = [
    crypto.generateSigningKey(dual),
    crypto.generateSigningKey(dual),
    crypto.generateSigningKey(),
  ];
  const certificate = certifyKey(root, run, key.publicKey, { version: 1, endsAtMs: 1 });
  assert.ok(await isCertified(root.publicKey, run, certificate, crypto));
  const signature = Uint8Array.fromBase64(certificate.signature);
  for (const bad of [flip(signature, 5), flip(signature, 69), signature.subarray(64), signature.subarray(0, 64)]) {
    assert.equal(await isCertified(root.publicKey, run, { ...certificate, signature: bad.toBase64() }, crypto), false);
  }
  // Certified by the right root, and of another scheme: the plan says which one announces.
  assert.ok(isOfSuite(3, root.publicKey) && !isOfSuite(3, single.publicKey) && !isOfSuite(1, root.publicKey));
  const world = await createHttpsWorld({ plan });
  try {
    const { identity } = await world.enrolSite();
    assert.ok(isOfSuite(3, Uint8Array.fromBase64(identity.coordinatorKey)));
  } finally {
    await world.close();
  }
});

test('no negotiation upwards either: a plan with suite 1 takes no dual key', async () => {
  const world = await createHttpsWorld();
  try {
    const [invited] = await world.coordinator.enrolment.invite(1);
    const link = { ...parseLink(world.linkOf(invited!.token)), suite: 3 } as const;
    await assert.rejects(
      enrol({ link, name: 'x', store: memoryIdentity(), crypto, transport: world.transport() }),
      /link/,
    );
  } finally {
    await world.close();
  }
});

test('a plan names suite 1 or 3: those with QKD follow from the policy, others are refused', () => {
  const input = {
    name: 'x',
    model: { kind: 'softmax-regression', inputs: 2, classes: 2 },
    rounds: { count: 1 },
  } as const;
  const of = (suite: number) =>
    parsePlan({
      ...input,
      cohort: { expected: 2 },
      aggregation: { pipeline: [{ rule: 'mean' }] },
      security: { suite },
    });
  assert.equal(of(3).security.suite, 3);
  for (const suite of [0, 2, 4, 5]) assert.throws(() => of(suite), PlanError);
});

test('processes: a run under suite 3 completes, its links say so, and its record names both algorithms', async () => {
  const trainer = join(root, 'trainer.mjs');
  writeFileSync(
    trainer,
    `import { readFileSync, writeFileSync } from 'node:fs';
const task = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const metrics = task.task === 'evaluate' ? { loss: 0.5, accuracy: 0.5 } : {};
if (task.task !== 'evaluate') writeFileSync(task.output, readFileSync(task.model));
writeFileSync(task.result, JSON.stringify({ examples: 4, metrics }));
`,
  );
  const toml = join(root, 'dual.toml');
  writeFileSync(
    toml,
    'name = "dual"\nmodel = { kind = "softmax-regression", inputs = 2, classes = 2 }\nrounds = { count = 1 }\ncohort = { expected = 2 }\naggregation = { pipeline = [{ rule = "mean" }] }\nsecurity = { suite = 3 }\n',
  );
  const folder = join(root, 'run');
  const made = await runToEnd('init', folder, '--host', '127.0.0.1', '--plan', toml);
  assert.equal(made.code, 0, made.err);
  const serving = start('serve', folder, '--json');
  const { links } = await serving.firstJson<{ links: { link: string }[] }>();
  for (const { link } of links) assert.match(link, /&suite=3$/);
  const sites = links.map(({ link }, i) =>
    start(
      'join',
      link,
      `--data=${root}`,
      `--state=${join(root, `s-${i}`)}`,
      `--trainer=${process.execPath} ${trainer}`,
    ),
  );
  assert.deepEqual(await Promise.all(sites.map((site) => site.exited)), [0, 0], sites.map((site) => site.err()).join());
  assert.equal(await serving.exited, 0, serving.err());
  const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as { status: string; signature: string };
  assert.deepEqual([record.status, record.signature], ['completed', dual]);
});
