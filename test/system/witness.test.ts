// The log over real HTTPS: proofs for anybody, and a witness that signs what continues and nothing else.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseCheckpoint } from '../../src/core/transparency/checkpoint.ts';
import { isIncluded } from '../../src/core/transparency/merkle-proof.ts';
import { encodeVerifierKey, type NoteKey } from '../../src/core/transparency/signed-note.ts';
import { openWitness, SplitViewError, type WatchedLog, type Witness } from '../../src/node/witness.ts';
import { runCommand } from '../cli/run-command.ts';
import { createHttpsWorld, type HttpsWorld, tlsIdentity } from './https-world.ts';
import { coordinatorKey, crypto, smallPlan } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'qflare-witness-'));
const base = '/v1/orgs/org/runs/run';
let [world, other]: HttpsWorld[] = [];
let witness: Witness;

before(async () => {
  witness = await openWitness(folder, 'w.example');
  const plan = smallPlan({ transparency: { witnesses: [witness.verifierKey] } });
  world = await createHttpsWorld({ plan });
  other = await createHttpsWorld({ plan });
});
after(async () => {
  await world!.close();
  await other!.close();
  rmSync(folder, { recursive: true });
});

function logOf({ port, coordinator }: HttpsWorld, key: NoteKey = coordinator.transparency.logKey): WatchedLog {
  return { host: '127.0.0.1', port, pin: Uint8Array.fromHex(tlsIdentity.pin), path: base, key };
}

test('anybody gets the checkpoint and proofs that hold against it; a question that makes no sense gets 400', async () => {
  const transport = world!.transport();
  const get = async (path: string) => {
    const { status, body } = await transport.request({ method: 'GET', path: `${base}/log/${path}` });
    return { status, text: new TextDecoder().decode(body) };
  };
  const { head } = parseCheckpoint((await get('checkpoint')).text)!;
  const proof = JSON.parse((await get(`inclusion?entry=0&size=${head.size}`)).text);
  const leaf = { hash: Uint8Array.fromHex(proof.leafHash), index: 0 };
  const hashes = proof.hashes.map((hash: string) => Uint8Array.fromHex(hash));
  assert.ok(isIncluded(leaf, head, hashes, crypto.sha256));
  assert.deepEqual(JSON.parse((await get('consistency?from=1&to=1')).text), { from: 1, to: 1, hashes: [] });
  for (const bad of [
    'inclusion',
    'inclusion?entry=9&size=5',
    'inclusion?entry=-1&size=1',
    'inclusion?entry=0&size=1e9',
    'consistency?from=0&to=1',
    'consistency?from=1&to=999999999999',
    'consistency?from=1&to=1&x=1',
  ]) {
    assert.equal((await get(bad)).status, 400, bad);
  }
  const posted = await transport.request({
    method: 'POST',
    path: `${base}/log/cosignatures`,
    json: { checkpoint: 'no' },
  });
  assert.equal(posted.status, 422);
});

test('a witness signs a log that continues, again after it has grown, and never one that departs', async () => {
  const first = await witness.sign(logOf(world!));
  await world!.coordinator.stop('the end');
  const second = await witness.sign(logOf(world!));
  assert.ok(second > first);
  const kinds = (await world!.coordinator.journal(0)).map(({ entry }) => entry.kind);
  assert.equal(kinds.filter((kind) => kind === 'log.cosigned').length, 2);
  assert.match(world!.coordinator.transparency.checkpoint()!, /— w\.example /);

  // The same log by name and key, with another history: what a coordinator that shows two faces would serve.
  await assert.rejects(witness.sign(logOf(other!)), SplitViewError);
  await other!.coordinator.enrolment.invite(9);
  await other!.coordinator.stop('another end');
  await assert.rejects(witness.sign(logOf(other!)), SplitViewError);
  const wrongKey = { ...other!.coordinator.transparency.logKey, publicKey: coordinatorKey.publicKey };
  await assert.rejects(witness.sign(logOf(other!, wrongKey)), SplitViewError);
  // Its memory outlives it.
  await assert.rejects((await openWitness(folder, 'w.example')).sign(logOf(other!)), SplitViewError);
});

test('the command prints the key that the plan wants, and refuses a log that it cannot place', () => {
  const own = join(folder, 'own');
  const { verifierKey } = JSON.parse(runCommand('audit', 'witness', own, '--name', 'w2', '--json'));
  assert.match(verifierKey, /^w2\+[0-9a-f]{8}\+/);
  assert.equal(runCommand('audit', 'witness', own, '--name', 'w2').trim(), verifierKey);
  assert.ok(readdirSync(own).includes('witness.seed') && readFileSync(join(own, 'witness.seed')).length === 32);
  const pin = Uint8Array.fromHex(tlsIdentity.pin).toBase64({ alphabet: 'base64url', omitPadding: true });
  const log = `https://127.0.0.1:${other!.port}${base}#pin=sha256:${pin}`;
  assert.throws(() => runCommand('audit', 'witness', own, '--log', 'nowhere'), /--log must be/);
  assert.throws(() => runCommand('audit', 'witness', own, '--log', log), /--log-key must hold/);
  const keyFile = join(folder, 'log.vkey');
  writeFileSync(keyFile, encodeVerifierKey(other!.coordinator.transparency.logKey));
  assert.throws(() => runCommand('audit', 'verify', folder, '--key', 'zz'), /64 hexadecimal digits/);
  assert.throws(() => runCommand('audit', 'verify', join(folder, '..'), '--key', '0'.repeat(64)), /files only/);
});
