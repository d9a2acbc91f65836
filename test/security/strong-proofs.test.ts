// Under cnsa-style what proves afterwards is ML-DSA-87 too: tree heads, cards, lists of exports, witnesses.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { initFolder } from '../../src/cli/commands/init.ts';
import { pathsOf } from '../../src/cli/coordinator-folder.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { isSignedBy, parseCheckpoint } from '../../src/core/transparency/checkpoint.ts';
import { modelCardOf, signModelCard, verifyModelCard } from '../../src/core/transparency/model-card.ts';
import { encodeVerifierKey, keyIdOf, parseVerifierKey } from '../../src/core/transparency/signed-note.ts';
import { verifyExport } from '../../src/core/transparency/verify-export.ts';
import { buildCoordinator } from '../../src/node/build-coordinator.ts';
import { openKeyVault } from '../../src/node/key-vault.ts';
import { openWitness } from '../../src/node/witness.ts';
import { runCommand } from '../cli/run-command.ts';
import { createHttpsWorld } from '../system/https-world.ts';
import { exportOf } from '../system/exported.ts';
import { createMemoryDisk, crypto, proofKeys, smallPlan, startCoordinator, strongProofKeys } from '../system/world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-strong-proofs-'));
after(() => rmSync(root, { recursive: true, force: true }));
const unlocking = { kind: 'key-file', bytes: new Uint8Array(32).fill(9) } as const;
const security = { profile: 'cnsa-style' } as const;

test('cnsa-style: an export is proved with ML-DSA-87 throughout, says so in its key and its card, and verifies offline', async () => {
  const { coordinator, parts } = await startCoordinator(smallPlan({ security }), createMemoryDisk());
  await coordinator.stop('the end');
  const files = await exportOf({ coordinator, parts }, strongProofKeys);
  const textOf = (name: string) => new TextDecoder().decode(files.get(name));

  const key = parseVerifierKey(textOf('log.vkey'))!;
  assert.equal(key.publicKey.length, 2592);
  assert.match(
    atob(textOf('log.vkey').trim().split('+').slice(2).join('+')),
    /^\u00ffqflare\/ml-dsa-87\/tree-head\/v1\n/,
  );
  const { card } = JSON.parse(textOf('card.json')) as { card: { suite: object } };
  assert.deepEqual(card.suite, {
    id: 5,
    kem: 'MLKEM1024-P384',
    kdf: 'HKDF-SHA384',
    aead: 'AES-256-GCM',
    signature: 'ML-DSA-87',
    proof: 'ML-DSA-87',
    channel: 'SecP384r1MLKEM1024',
  });
  const trusted = crypto.sha256(key.publicKey).toHex();
  const audit = await verifyExport(files, { crypto, trusted });
  assert.deepEqual(audit.findings, []);
  assert.ok(audit.isKeyTrusted && audit.heads > 0);
  // The same head under a key of the weaker scheme is signed by somebody else.
  const weaker = { ...key, publicKey: proofKeys.treeHead.publicKey };
  assert.notEqual(keyIdOf(weaker), keyIdOf(key));
  assert.equal(await isSignedBy(parseCheckpoint(textOf('checkpoint.txt'))!, weaker, crypto), false);
});

test('a card counts under the scheme that it names, and one of before, which names none, under ML-DSA-65 alone', async () => {
  const facts = {
    orgId: 'o',
    runId: 'r',
    model: 'a'.repeat(64),
    modelVersion: 1,
    round: 1,
    parent: null,
    participants: [],
    privacy: null,
  };
  const strong = modelCardOf(smallPlan({ security }), facts);
  const plain = modelCardOf(smallPlan(), facts);
  const { proof: _proof, ...before } = plain.suite;
  const old = { ...plain, suite: before };
  for (const [card, key, holds] of [
    [strong, strongProofKeys, true],
    [strong, proofKeys, false],
    [plain, proofKeys, true],
    [plain, strongProofKeys, false],
    [old, proofKeys, true],
    [old, strongProofKeys, false],
  ] as const) {
    const signed = signModelCard(card, key.modelCard);
    assert.equal((await verifyModelCard(signed, crypto)) !== undefined, holds, JSON.stringify(card.suite));
  }
});

test('verifier keys of both schemes are read back as they are; a scheme in the name that is not that of the key is refused', () => {
  for (const { publicKey } of [proofKeys.treeHead, strongProofKeys.treeHead]) {
    for (const type of ['treeHead', 'cosignature'] as const) {
      const key = { name: 'qflare/o/r', type, publicKey };
      assert.deepEqual(parseVerifierKey(encodeVerifierKey(key)), { ...key, publicKey: Uint8Array.from(publicKey) });
    }
  }
  const mixed = Buffer.concat([
    Buffer.from([0xff]),
    Buffer.from('qflare/ml-dsa-87/tree-head/v1\n'),
    proofKeys.treeHead.publicKey,
  ]);
  const id = crypto
    .sha256(Buffer.concat([Buffer.from('n\n'), mixed]))
    .slice(0, 4)
    .toHex();
  assert.equal(parseVerifierKey(`n+${id}+${mixed.toString('base64')}`), undefined);
  const other = { name: 'n', type: 'treeHead', publicKey: new Uint8Array(1312) } as const;
  assert.throws(() => encodeVerifierKey(other), /must be ML-DSA-65 or ML-DSA-87: it has 1312 bytes/);
});

test('a site refuses a log under a weaker key than the plan says, a folder with one does not serve, a plan does not name one', async () => {
  const tls = await createServerIdentity(['127.0.0.1'], Date.now(), 'ML-DSA-87');
  const plan = smallPlan({ security });
  const world = await createHttpsWorld({ plan, tls, parts: { proofKeys } });
  try {
    await assert.rejects(world.enrolSite(), /tree heads must be signed as the suite of the plan says/);
  } finally {
    await world.close();
  }
  const folder = join(root, 'run');
  const settings = await initFolder(folder, { orgId: 'org', host: '127.0.0.1', plan, unlocking });
  const paths = pathsOf(folder);
  const vault = await openKeyVault(paths.keys, unlocking, crypto);
  for (const purpose of ['tree-head', 'model-card', 'export-list'] as const)
    assert.equal((await vault.secret(purpose)).length, 33, purpose);
  await vault.replace('model-card', crypto.generateSigningKey().exportSeed());
  await assert.rejects(
    buildCoordinator(paths, plan, { ...settings, unlocking }),
    /key modelCard as it must be ML-DSA-87 under suite 5/,
  );

  const [weak, strong] = ['ML-DSA-65', 'ML-DSA-87'].map((algorithm) =>
    runCommand('audit', 'witness', join(root, algorithm), '--algorithm', algorithm).trim(),
  ) as [string, string];
  assert.equal(strong, (await openWitness(join(root, 'ML-DSA-87'), 'witness')).verifierKey);
  const { model } = plan;
  const of = (witnesses: string[], more: object) => parsePlan({ model, transparency: { witnesses }, ...more });
  of([weak], {});
  of([strong], { security });
  assert.throws(
    () => of([strong, weak], { security }),
    /transparency\.witnesses\.1: must be a key of ML-DSA-87 under suite 5/,
  );
  assert.throws(() => of([strong], {}), /must be a key of ML-DSA-65 under suite 1/);
});
