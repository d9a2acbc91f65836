import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/random/rng.ts';
import { cosign, parseCheckpoint } from '../../src/core/transparency/checkpoint.ts';
import { isConsistent, isIncluded } from '../../src/core/transparency/merkle-proof.ts';
import { pseudonymOf, verifyModelCard } from '../../src/core/transparency/model-card.ts';
import { encodeNote, encodeVerifierKey, type NoteKey } from '../../src/core/transparency/signed-note.ts';
import { type ExportAudit, verifyExport } from '../../src/core/transparency/verify-export.ts';
import { exportOf, listAnew } from './exported.ts';
import { settle } from './virtual-clock.ts';
import {
  coordinatorKey,
  createMemoryDisk,
  createWorld,
  crypto,
  finish,
  proofKeys,
  smallPlan,
  type World,
} from './world.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const witness = { name: 'witness.example/w1', key: crypto.generateSigningKey() };
const witnessKey: NoteKey = { name: witness.name, type: 'cosignature', publicKey: witness.key.publicKey };
const plan = smallPlan({
  rounds: { count: 2 },
  cohort: { expected: 3, quorum: 3 },
  transparency: { witnesses: [encodeVerifierKey(witnessKey)] },
});

async function finished(): Promise<World> {
  const world = await createWorld({ plan, disk: createMemoryDisk() });
  for (const site of world.sites) site.attend(world.coordinator);
  await finish(world);
  await settle(5);
  return world;
}

const trusted = crypto.sha256(proofKeys.treeHead.publicKey).toHex();
const world = await finished();
const files = await exportOf(world);

function changed(name: string, change: (bytes: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
  return new Map(files).set(name, change(files.get(name)!.slice()));
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes;
}

function entriesNamed(audit: ExportAudit, file: string): readonly (number | null)[] {
  return audit.findings.filter((finding) => finding.file === file).map(({ entry }) => entry);
}

test('an export verifies offline: entries, tree heads, model, card, and the key only where one is trusted', async () => {
  const audit = await verifyExport(files, { crypto, trusted });
  assert.deepEqual(audit.findings, []);
  assert.ok(audit.isIntact && audit.isKeyTrusted);
  assert.equal(audit.origin, 'qflare/org/run');
  assert.equal(audit.entries, (await world.coordinator.journal(0)).length);
  // The run's creation, and each round.
  assert.equal(audit.heads, 3);
  assert.equal(audit.model, world.coordinator.snapshot().models.at(-1)!.hash);
  const untrusted = await verifyExport(files, { crypto });
  assert.ok(untrusted.isIntact && !untrusted.isKeyTrusted);
  assert.equal((await verifyExport(files, { crypto, trusted: '0'.repeat(64) })).isIntact, false);
});

test('one flipped bit anywhere in an export is found, its file named, and its entry where it is in the journal', async () => {
  const rng = createRng(66);
  const isDeep = process.env['QFLARE_DEEP'] !== undefined;
  for (const [name, bytes] of files) {
    const bits = 8 * bytes.length;
    const count = isDeep ? Math.min(bits, 4000) : 45;
    for (let i = 0; i < count; i++) {
      const bit = rng.below(bits);
      const audit = await verifyExport(
        changed(name, (copy) => flip(copy, bit)),
        { crypto, trusted },
      );
      const told = JSON.stringify(audit.findings.slice(0, 3));
      assert.ok(!audit.isIntact, `${name}, bit ${bit}`);
      assert.ok(
        audit.findings.some(({ file }) => file.split('.')[0] === name.split('.')[0]),
        `${name}, bit ${bit}: ${told}`,
      );
      if (name !== 'journal.jsonl' && name !== 'journal.leaves') continue;
      const line = bytes.subarray(0, bit >> 3).filter((byte) => byte === 0x0a).length;
      assert.equal(entriesNamed(audit, name)[0], line, `${name}, bit ${bit}: ${told}`);
    }
  }
});

test('an entry removed, added, repeated, exchanged or cut off is found, even when the list of files is signed anew', async () => {
  const lines = new TextDecoder().decode(files.get('journal.jsonl')).split('\n').slice(0, -1);
  const leaves = new TextDecoder().decode(files.get('journal.leaves')).split('\n').slice(0, -1);
  const edits: Record<string, (all: readonly string[]) => readonly string[]> = {
    'removed at the end': (all) => all.slice(0, -1),
    'removed at the start': (all) => all.slice(1),
    'removed in the middle': (all) => all.toSpliced(5, 1),
    repeated: (all) => all.toSpliced(5, 0, all[5]!),
    exchanged: (all) => all.toSpliced(5, 2, all[6]!, all[5]!),
    added: (all) => [...all, all.at(-1)!],
    'all gone': () => [],
  };
  for (const [what, edit] of Object.entries(edits)) {
    for (const areLeavesEdited of [false, true]) {
      const copy = new Map(files).set(
        'journal.jsonl',
        utf8(
          edit(lines)
            .map((line) => `${line}\n`)
            .join(''),
        ),
      );
      if (areLeavesEdited)
        copy.set(
          'journal.leaves',
          utf8(
            edit(leaves)
              .map((line) => `${line}\n`)
              .join(''),
          ),
        );
      listAnew(copy);
      const audit = await verifyExport(copy, { crypto, trusted });
      assert.ok(entriesNamed(audit, 'journal.jsonl').length > 0, `${what}, leaves edited: ${areLeavesEdited}`);
    }
  }
});

test('a history written anew by who holds other keys agrees with itself, and not with the trusted key', async () => {
  const others = {
    treeHead: crypto.generateSigningKey(),
    modelCard: crypto.generateSigningKey(),
    exportList: crypto.generateSigningKey(),
    pseudonym: proofKeys.pseudonym,
  };
  const audit = await verifyExport(await exportOf(world, others), { crypto, trusted });
  assert.ok(audit.findings.some(({ file }) => file === 'log.vkey'));
  // The tree heads inside the journal were signed by the first key: even without a trusted key the journal says so.
  assert.equal((await verifyExport(await exportOf(world, others), { crypto })).isIntact, false);
});

test('a file that is missing, or that nobody has listed, is found', async () => {
  for (const name of files.keys()) {
    const copy = new Map(files);
    copy.delete(name);
    const { findings } = await verifyExport(copy, { crypto, trusted });
    assert.ok(
      findings.some(({ file }) => file.startsWith(name.replace('.sig', ''))),
      name,
    );
  }
  const more = new Map(files).set('note.txt', utf8('trust me'));
  assert.deepEqual((await verifyExport(more, { crypto, trusted })).findings, [
    { file: 'note.txt', entry: null, problem: 'is not listed' },
  ]);
});

test('bytes that are no export give findings and no exception', async () => {
  const rng = createRng(67);
  assert.equal((await verifyExport(new Map(), { crypto })).isIntact, false);
  for (const name of files.keys()) {
    for (const size of [0, 1, 40, 5000]) {
      const noise = Uint8Array.from({ length: size }, () => rng.below(256));
      assert.equal((await verifyExport(new Map(files).set(name, noise), { crypto })).isIntact, false, name);
    }
  }
});

test('every model has a signed card: parent, plan, pseudonyms of who took part, rules, suite, no privacy where there is none', async () => {
  const { models, run, devices } = world.coordinator.snapshot();
  const names = [...devices.values()].map(({ clientId }) => pseudonymOf(clientId, proofKeys.pseudonym)).toSorted();
  for (const { hash, version, parentHash, round } of models) {
    const bytes = (await world.coordinator.model(run.cards[hash]!))!;
    const signed = (await verifyModelCard(JSON.parse(new TextDecoder().decode(bytes)), crypto))!;
    assert.equal(signed.publicKey, proofKeys.modelCard.publicKey.toBase64());
    const { card } = signed;
    assert.deepEqual([card.model, card.modelVersion, card.parent, card.round], [hash, version, parentHash, round]);
    assert.equal(card.planHash, run.planHash);
    assert.deepEqual(card.participants, version === 0 ? [] : names);
    assert.deepEqual(card.rules.pipeline, plan.aggregation.pipeline);
    assert.equal(card.privacy, null);
    assert.equal(card.suite.signature, 'ML-DSA-65');
    assert.doesNotMatch(JSON.stringify(card), /client-0/);
    const other = { ...signed, card: { ...card, participants: [] as string[], round: 9 } };
    assert.equal(await verifyModelCard(other, crypto), undefined);
  }
  assert.equal(await verifyModelCard({}, crypto), undefined);
});

test('a witness of the plan may sign the newest tree head once, and the export says who did', async () => {
  const own = await finished();
  const { transparency } = own.coordinator;
  const checkpoint = parseCheckpoint(transparency.checkpoint()!)!;
  const signedBy = (one: typeof witness, head = checkpoint.head) =>
    encodeNote({ ...checkpoint.note, signatures: [cosign(head, one, 1_790_000_000)] });
  assert.equal(await transparency.takeCosignature('nothing'), false);
  assert.equal(await transparency.takeCosignature(signedBy({ ...witness, key: crypto.generateSigningKey() })), false);
  assert.equal(await transparency.takeCosignature(signedBy({ ...witness, name: 'else' })), false);
  assert.equal(await transparency.takeCosignature(signedBy(witness, { ...checkpoint.head, size: 1 })), false);
  const rows = (await own.coordinator.journal(0)).length;
  assert.equal(await transparency.takeCosignature(signedBy(witness)), true);
  assert.equal(await transparency.takeCosignature(signedBy(witness)), true);
  assert.equal((await own.coordinator.journal(0)).length, rows + 1);
  const audit = await verifyExport(await exportOf(own), { crypto, trusted });
  assert.deepEqual(audit.findings, []);
  assert.deepEqual(audit.witnesses, [{ name: witness.name, size: checkpoint.head.size }]);
});

test('proofs of the running log hold against its checkpoint; entries of an earlier head stay where they were', async () => {
  const { transparency } = world.coordinator;
  const rows = await world.coordinator.journal(0);
  const heads = rows
    .filter(({ entry }) => entry.kind === 'log.tree-head')
    .map(({ entry }) => parseCheckpoint(String(entry.data['checkpoint']))!.head);
  const last = heads.at(-1)!;
  assert.equal(transparency.checkpoint()?.split('\n')[1], String(last.size));
  for (const sequence of [0, 1, last.size - 1]) {
    const proof = transparency.inclusionProof(sequence, last.size);
    const leaf = { hash: Uint8Array.fromHex(rows[sequence]!.leafHash), index: sequence };
    assert.ok(
      isIncluded(
        leaf,
        last,
        proof.hashes.map((one) => Uint8Array.fromHex(one)),
        crypto.sha256,
      ),
    );
  }
  for (const head of heads) {
    const { hashes } = transparency.consistencyProof(head.size, last.size);
    assert.ok(
      isConsistent(
        head,
        last,
        hashes.map((one) => Uint8Array.fromHex(one)),
        crypto.sha256,
      ),
    );
  }
  assert.notDeepEqual(coordinatorKey.publicKey, proofKeys.treeHead.publicKey);
});
