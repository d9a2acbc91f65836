import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFileBlobs } from '../../src/adapters/blobs-files.ts';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createFileIdentityStore } from '../../src/adapters/identity-file.ts';
import { createFunctionTrainer } from '../../src/adapters/trainer-function.ts';
import { initFolder } from '../../src/cli/commands/init.ts';
import { pathsOf } from '../../src/cli/coordinator-folder.ts';
import { formatLink, parseLink } from '../../src/client/link.ts';
import { createCoordinator } from '../../src/coordinator/coordinator.ts';
import { decodeRoundSecret } from '../../src/coordinator/round-secret.ts';
import { createServer } from '../../src/coordinator/http/server.ts';
import { manifestOf } from '../../src/core/learning/model-spec.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { openChunk, parseEnvelope } from '../../src/core/protocol/envelope.ts';
import { buildCoordinator } from '../../src/node/build-coordinator.ts';
import { joinRun } from '../../src/node/join-run.ts';
import { openKeyVault, readInventory, type StoredPurpose } from '../../src/node/key-vault.ts';
import type { Blobs } from '../../src/ports/blobs.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-at-rest-'));
after(() => rmSync(root, { recursive: true, force: true }));
const data = join(root, 'data');
const environment = { XDG_STATE_HOME: join(root, 'elsewhere') };
const crypto = createNodeCrypto();
/** What somebody records of the run: every envelope, and the secrets of the rounds, which only the control may use. */
const recorded: { readonly envelopes: Uint8Array[]; readonly rounds: Uint8Array[] } = { envelopes: [], rounds: [] };

/** Every file below a folder in which one of these secrets lies: as it is, in hexadecimal or in a base64. */
function filesWith(folder: string, secrets: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const found: string[] = [];
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    for (const [what, secret] of secrets) {
      const forms = [
        secret,
        ...[secret.toHex(), secret.toBase64({ omitPadding: true }), ...base64Middles(secret)].map((text) =>
          Buffer.from(text),
        ),
      ];
      if (forms.some((form) => bytes.includes(form))) found.push(`${what} in ${name}`);
    }
  }
  return found;
}

/** What base64 makes of bytes that begin at any place of a longer text, without the ends that depend on neighbours. */
function base64Middles(secret: Uint8Array): readonly string[] {
  const plain = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), secret])
      .toString('base64')
      .slice(4, -5),
  );
  return [...plain, ...plain.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))];
}

test('after a run no update, model, key or token lies open in the data folders of coordinator and sites', async () => {
  const unlocking = await findUnlocking(environment);
  const model = { kind: 'softmax-regression', inputs: 20, classes: 3 } as const;
  const plan = parsePlan({
    name: 'at-rest',
    model,
    rounds: { count: 2 },
    cohort: { expected: 2, quorum: 2, gatherSeconds: 1, deadlineSeconds: 60 },
    aggregation: { pipeline: [{ rule: 'mean' }], codec: 'float32' },
  });
  const folder = join(data, 'run');
  const paths = pathsOf(folder);
  const settings = await initFolder(folder, { orgId: 'org', host: '127.0.0.1', plan, unlocking });
  const { parts, tls, vault } = await buildCoordinator(paths, plan, { ...settings, unlocking });
  const secrets = new Map<string, Uint8Array>();
  for (const purpose of [
    'owner-token',
    'announcement',
    'tree-head',
    'model-card',
    'export-list',
    'pseudonym',
    'data',
  ] satisfies StoredPurpose[]) {
    secrets.set(purpose, await vault.secret(purpose));
  }
  const tlsBody = tls.key.split('\n').slice(1, -2).join('');
  secrets.set('tls', Uint8Array.fromBase64(tlsBody).slice(30, 90));
  // The secret of each round passes by here on its way to its file.
  const rounds: number[] = [];
  const { roundKeys } = parts;
  const watched = {
    ...roundKeys,
    put: (round: number, secret: Uint8Array) => {
      secrets.set(`round key ${round}`, secret.slice(4, 36));
      rounds.push(round);
      recorded.rounds.push(decodeRoundSecret(secret.slice()).roundKey.slice());
      return roundKeys.put(round, secret);
    },
  };
  const blobs: Blobs = {
    ...parts.blobs,
    put(content, known, how) {
      if (how === 'as-it-is') recorded.envelopes.push((content as Uint8Array).slice());
      return parts.blobs.put(content, known, how);
    },
  };
  const coordinator = createCoordinator({ ...parts, roundKeys: watched, blobs });
  const ownerToken = () => new TextDecoder().decode(secrets.get('owner-token')!);
  const { app } = createServer(coordinator, parts, { tls, ownerToken, linkOf: () => '' });
  const during: string[] = [];
  try {
    await coordinator.start();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const invited = await coordinator.enrolment.invite(2);
    const sites = invited.map(async ({ token }, i) => {
      secrets.set(`token ${i}`, Buffer.from(token));
      const link = parseLink(formatLink({ host: '127.0.0.1', port, token, pin: Uint8Array.fromHex(settings.pin) }));
      return joinRun({
        link,
        name: `site-${i}`,
        stateFolder: join(data, `site-${i}`),
        unlocking,
        patienceMs: 60_000,
        say: () => {},
        trainerFor: async (_, identity) => {
          secrets.set(`device key ${i}`, Uint8Array.fromBase64(identity.signingSeed));
          return createFunctionTrainer(manifestOf(model), {
            train({ tensors, round }) {
              const deltas = Object.values(tensors).map((values) => {
                const delta = crypto.randomBytes(values.length).map((byte) => byte % 64);
                // Powers of two apart, so that the agent's subtraction gives exactly this.
                const before = values.slice();
                for (let j = 0; j < values.length; j++) values[j] = Math.fround(values[j]! + delta[j]! / 64);
                return values.map((value, j) => Math.fround(value - before[j]!));
              });
              const longest = deltas.toSorted((a, b) => b.length - a.length)[0]!;
              secrets.set(`update ${i}/${round}`, new Uint8Array(longest.slice(5, 25).buffer));
              return { examples: 10 };
            },
            evaluate() {
              during.push(...filesWith(data, secrets));
              return { examples: 10, loss: 1, accuracy: 0.5 };
            },
          });
        },
      });
    });
    const outcomes = await Promise.all(sites);
    await coordinator.ended;
    // A model of zeros is no secret: the first one is left out.
    for (const { hash, version } of coordinator.snapshot().models.slice(1)) {
      secrets.set(`model ${version}`, (await coordinator.model(hash))!.slice(-60, -40));
      secrets.set(`what model ${version} says of itself`, (await coordinator.model(hash))!.slice(8, 60));
    }
    assert.deepEqual(
      outcomes.map(({ end, contributions }) => [end, contributions]),
      [
        ['completed', 4],
        ['completed', 4],
      ],
    );
  } finally {
    coordinator.halt();
    await app.close();
    await parts.store.close();
  }
  assert.deepEqual([during, filesWith(data, secrets)], [[], []]);
  assert.deepEqual(rounds, [1, 2]);
  assert.equal(secrets.size, 8 + 2 + 2 + 2 + 4 + 4);

  // The scan can fail: each secret is found where it lies open, in each form.
  const planted = join(root, 'planted');
  await initFolder(planted, { orgId: 'org', host: '127.0.0.1', plan, unlocking });
  for (const [what, secret] of secrets) {
    for (const form of [
      secret,
      secret.toHex(),
      JSON.stringify({ x: secret.toBase64() }),
      `y${Buffer.concat([Buffer.from('ab'), secret]).toString('base64')}`,
    ]) {
      writeFileSync(
        join(planted, 'leak'),
        Buffer.concat([Buffer.from('before'), Buffer.from(form as string), Buffer.from('after')]),
      );
      assert.deepEqual(filesWith(planted, new Map([[what, secret]])), [`${what} in leak`]);
    }
  }
  // Every file of the store is sealed, and what detection remembers of each update once more.
  const names = (readdirSync(paths.blobs, { recursive: true }) as string[]).filter((name) =>
    statSync(join(paths.blobs, name)).isFile(),
  );
  const beginnings = names.map((name) => readFileSync(join(paths.blobs, name)).subarray(0, 4).toString());
  assert.deepEqual(new Set(beginnings), new Set(['QFSB']));
  const store = createFileBlobs(paths.blobs, vault.atRest);
  const contents = await Promise.all(names.map((name) => store.get(name.replace('/', ''))));
  const sealed = contents.filter((bytes) => Buffer.from(bytes!).subarray(0, 4).toString() === 'QFSD');
  assert.equal(sealed.length, 2, 'the sketches of two rounds');

  // What unlocks it is elsewhere; with anything else neither folder opens.
  assert.equal(statSync(join(root, 'elsewhere', 'qflare', 'unlock.key')).mode & 0o777, 0o600);
  const other = { kind: 'key-file', bytes: new Uint8Array(32) } as const;
  await assert.rejects(openKeyVault(paths.keys, other, crypto), /key-file must be the one they were made with/);
  const { atRest } = await openKeyVault(join(data, 'site-0', 'keys'), unlocking, crypto);
  assert.deepEqual(
    Uint8Array.fromBase64((await createFileIdentityStore(join(data, 'site-0'), atRest).load())!.signingSeed!),
    Uint8Array.from(secrets.get('device key 0')!),
  );
});

test('forward secrecy: no long-term key, and nothing that is left in any folder, opens what was recorded of a finished run', async () => {
  const unlocking = await findUnlocking(environment);
  // Everything that lasts: each secret of the coordinator, the seeds of the devices, what unlocks them, every sealed file opened.
  const lasting: Uint8Array[] = [unlocking.kind === 'key-file' ? unlocking.bytes : assert.fail('a key file')];
  for (const folder of ['run', 'site-0', 'site-1']) {
    const keys = join(data, folder, 'keys');
    const vault = await openKeyVault(keys, unlocking, crypto);
    for (const { id, state } of await readInventory(keys))
      if (state !== 'destroyed' && !id.startsWith('kek')) lasting.push(await vault.secretOf(id));
    if (folder === 'run') continue;
    const { signingSeed } = (await createFileIdentityStore(join(data, folder), vault.atRest).load())!;
    lasting.push(Uint8Array.fromBase64(signingSeed!));
  }
  assert.ok(lasting.length > 12, `${lasting.length}`);
  const seeds = new Map(
    lasting.flatMap((secret) =>
      Array.from({ length: Math.max(0, Math.min(secret.length, 200) - 31) }, (_, i) => {
        const seed = Uint8Array.from(secret.subarray(i, i + 32));
        return [seed.toHex(), seed] as const;
      }),
    ),
  );
  const opens = async (seed: Uint8Array, publicKey: Uint8Array, envelope: Uint8Array) => {
    const parsed = parseEnvelope(envelope);
    assert.ok(parsed.ok);
    const { enc, headerBytes, chunks } = parsed.value;
    const secret = Uint8Array.from([...seed, ...publicKey]);
    const aead = await (await crypto.importRoundKey(secret)).open(enc, headerBytes);
    return aead !== undefined && openChunk(aead, 0, chunks.length, chunks[0]!) !== undefined;
  };
  assert.deepEqual([recorded.envelopes.length, recorded.rounds.length], [8, 2]);
  // The control: the key of its round, which the coordinator has destroyed, opens each of them.
  let opened = 0;
  for (const envelope of recorded.envelopes)
    for (const round of recorded.rounds) if (await opens(round.subarray(0, 32), round.subarray(32), envelope)) opened++;
  assert.equal(opened, 8);
  for (const seed of seeds.values())
    assert.ok(
      !(await opens(seed, recorded.rounds[0]!.subarray(32), recorded.envelopes[0]!)),
      'a key that lasts opens it',
    );
  // And neither seed is left in a file, sealed or not.
  const vault = await openKeyVault(join(data, 'run', 'keys'), unlocking, crypto);
  const blobs = createFileBlobs(join(data, 'run', 'state', 'blobs'), vault.atRest);
  const gone = new Map(recorded.rounds.map((round, i) => [`round ${i + 1}`, round.slice(0, 32)]));
  assert.deepEqual(filesWith(data, gone), []);
  for (const name of readdirSync(join(data, 'run', 'state', 'blobs'), { recursive: true }) as string[]) {
    if (!/^[0-9a-f]{2}\/[0-9a-f]{62}$/.test(name)) continue;
    const bytes = Buffer.from((await blobs.get(name.replace('/', '')))!);
    for (const seed of gone.values()) assert.equal(bytes.indexOf(seed), -1);
  }
});
