import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createFileIdentityStore } from '../../src/adapters/identity-file.ts';
import { createFunctionTrainer } from '../../src/adapters/trainer-function.ts';
import { createHttpsTransport } from '../../src/adapters/transport-https.ts';
import { initFolder } from '../../src/cli/commands/init.ts';
import { pathsOf } from '../../src/cli/coordinator-folder.ts';
import { formatLink, parseLink } from '../../src/client/link.ts';
import { createCoordinator } from '../../src/coordinator/coordinator.ts';
import { createServer } from '../../src/coordinator/http/server.ts';
import { manifestOf } from '../../src/core/learning/model-spec.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { buildCoordinator } from '../../src/node/build-coordinator.ts';
import { joinRun } from '../../src/node/join-run.ts';
import { createKeyRotation } from '../../src/node/key-rotation.ts';
import { openKeyVault } from '../../src/node/key-vault.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-rotation-'));
after(() => rmSync(root, { recursive: true, force: true }));
const crypto = createNodeCrypto();
const unlocking = { kind: 'key-file', bytes: crypto.randomBytes(32) } as const;
const model = { kind: 'softmax-regression', inputs: 6, classes: 3 } as const;
const plan = parsePlan({
  name: 'rotation',
  model,
  rounds: { count: 4 },
  cohort: { expected: 2, quorum: 2, gatherSeconds: 1, deadlineSeconds: 120, absenceGraceSeconds: 120 },
  aggregation: { pipeline: [{ rule: 'mean' }] },
});
const folder = join(root, 'run');
const settings = await initFolder(folder, { orgId: 'org', host: '127.0.0.1', plan, unlocking });

/** The coordinator of the folder over sockets and files, with a clock for its keys that can be put forward. */
async function serve(port: number, nowMs: () => number) {
  const { parts, tls, vault } = await buildCoordinator(pathsOf(folder), plan, { ...settings, unlocking });
  const coordinator = createCoordinator(parts);
  const notes: Promise<void>[] = [];
  const { announcer } = parts;
  const rotation = await createKeyRotation({
    vault,
    announcer,
    crypto,
    nowMs,
    tell: (kind, data) => void notes.push(coordinator.note(kind, data)),
  });
  const { rotate: rotateKey, ownerToken } = rotation;
  const { app } = createServer(coordinator, parts, { tls, ownerToken, rotateKey, linkOf: () => '' });
  await coordinator.start();
  await rotation.watch();
  await app.listen({ port, host: '127.0.0.1' });
  const close = async () => {
    coordinator.halt();
    rotation.stop();
    await app.close();
    await Promise.allSettled(notes);
    await parts.store.close();
  };
  return { coordinator, vault, rotation, port: (app.server.address() as AddressInfo).port, close };
}

test('every key that rotates is replaced in mid-run, the coordinator is restarted among it, and nothing is dropped', async () => {
  let server = await serve(0, Date.now);
  const { port } = server;
  const pin = Uint8Array.fromHex(settings.pin);
  const owner = async (path: string) => {
    const transport = createHttpsTransport({ host: '127.0.0.1', port, pin, group: 'X25519MLKEM768' });
    const session = new TextDecoder().decode(await server.vault.secret('owner-token'));
    const { status } = await transport.request({ method: 'POST', path: `/v1/admin/${path}`, session });
    transport.close();
    assert.equal(status, 200, path);
  };
  const roundsSeen: number[] = [];
  /** What happens while the second site trains: the first one has sent its update, and the round is open. */
  const meanwhile: Readonly<Record<number, () => Promise<void>>> = {
    async 2() {
      for (const purpose of ['announcement', 'data', 'kek', 'owner-token']) await owner(`keys/${purpose}`);
      for (const { deviceId } of server.coordinator.snapshot().devices.values()) await owner(`devices/${deviceId}/key`);
    },
    async 3() {
      // The first site's update of this round is signed with its new key, the round's secret sealed under the new data key.
      for (const purpose of ['data', 'kek']) await owner(`keys/${purpose}`);
      await server.close();
      server = await serve(port, Date.now);
    },
  };
  const invited = await server.coordinator.enrolment.invite(2);
  const first = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const outcomes = await Promise.all(
    invited.map(({ token }, site) =>
      joinRun({
        link: parseLink(formatLink({ host: '127.0.0.1', port, token, pin })),
        name: `site-${site}`,
        stateFolder: join(root, `site-${site}`),
        unlocking,
        patienceMs: 120_000,
        say: () => {},
        trainerFor: async () =>
          createFunctionTrainer(manifestOf(model), {
            async train({ tensors, round }) {
              for (const values of Object.values(tensors)) values[0]! += 0.25;
              if (site === 0) {
                first[round]!.resolve();
                return { examples: 10 };
              }
              await first[round]!.promise;
              const accepted = () => Object.keys(server.coordinator.snapshot().run.round?.accepted ?? {}).length;
              const isWaiting = () => accepted() === 0;
              while (isWaiting()) await new Promise((resolve) => setImmediate(resolve));
              roundsSeen.push(round);
              await meanwhile[round]?.();
              return { examples: 10 };
            },
            evaluate: () => ({ examples: 10, loss: 1, accuracy: 0.5 }),
          }),
      }),
    ),
  );
  await server.coordinator.ended;
  const journal = (await server.coordinator.journal(0)).map(({ entry }) => entry);
  const { devices, run } = server.coordinator.snapshot();
  await server.close();

  assert.deepEqual(
    outcomes.map(({ end }) => end),
    ['completed', 'completed'],
  );
  assert.deepEqual(
    run.records.map(({ status, accepted }) => [status, accepted.length]),
    [1, 2, 3, 4].map(() => ['completed', 2]),
  );
  assert.deepEqual(roundsSeen, [1, 2, 3, 4], 'no update was trained twice');
  // A session ends with the process of the coordinator: the site hears that once for what it was sending, and goes on.
  const ended = journal.filter(({ kind, data }) => kind === 'request.refused' && data['code'] === 'not-authenticated');
  assert.ok(ended.length <= 2, JSON.stringify(ended));
  assert.deepEqual(
    journal.filter((entry) => !ended.includes(entry) && /refused|aborted/.test(entry.kind)),
    [],
  );
  const rotated = journal.flatMap(({ kind, data }) => (kind === 'key.rotated' ? [data['id']] : []));
  assert.deepEqual(rotated, ['announcement-2', 'data-2', 'kek-2', 'owner-token-2', 'data-3', 'kek-3']);

  // Each device has replaced its key once, between two of its updates, and both sides hold the same one.
  const changed = journal.flatMap(({ kind, data }) => (kind === 'device.key' ? [data['clientId']] : []));
  assert.deepEqual(changed.toSorted(), [...devices.values()].map(({ clientId }) => clientId).toSorted());
  for (const [site, device] of [...devices.values()].entries()) {
    const { atRest } = await openKeyVault(join(root, `site-${site}`, 'keys'), unlocking, crypto);
    const identity = (await createFileIdentityStore(join(root, `site-${site}`), atRest).load())!;
    const own = [...devices.values()].find(({ deviceId }) => deviceId === identity.deviceId)!;
    assert.equal(
      crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed!)).publicKey.toBase64(),
      own.publicKey,
    );
    assert.notEqual(`d-${crypto.sha256(Uint8Array.fromBase64(own.publicKey)).toHex().slice(0, 24)}`, device.deviceId);
    assert.deepEqual([identity.announcementVersion, identity.nextSeed], [2, undefined]);
    assert.ok(!readFileSync(join(root, `site-${site}`, 'identity.json'), 'utf8').includes('signingSeed'));
  }
});

test('what is due is replaced when a coordinator starts, with no word of anybody', async () => {
  const days = (count: number) => () => Date.now() + count * 86_400_000;
  const idsAfter = async (nowMs: () => number) => {
    const server = await serve(0, nowMs);
    const active = (await server.vault.inventory()).filter(({ state }) => state === 'active').map(({ id }) => id);
    await server.close();
    return active.filter((id) => /^(kek|data|owner-token|announcement|root)-/.test(id)).toSorted();
  };
  const before = await idsAfter(days(29));
  assert.deepEqual(before, ['announcement-2', 'data-3', 'kek-3', 'owner-token-2', 'root-1']);
  assert.deepEqual(await idsAfter(days(31)), ['announcement-2', 'data-4', 'kek-3', 'owner-token-2', 'root-1']);
});
