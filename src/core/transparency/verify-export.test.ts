import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { leafHash } from '../protocol/merkle.ts';
import { originOf, parseCheckpoint } from './checkpoint.ts';
import { exportListSigner, exportListText, signExportList } from './export-list.ts';
import { proofFiles } from './export-proof.ts';
import { parseVerifierKey } from './signed-note.ts';
import { verifyExport } from './verify-export.ts';
import { verifyJournal } from './verify-journal.ts';

const crypto = createNodeCrypto();
const place = { orgId: 'org', runId: 'run' };
const [logKey, listKey] = [crypto.generateSigningKey(), crypto.generateSigningKey()];
const fingerprint = ({ publicKey }: { publicKey: Uint8Array }) => crypto.sha256(publicKey).toHex();
const utf8 = (text: string) => new TextEncoder().encode(text);

function rowOf(sequence: number, kind: string, data: Record<string, Json>) {
  const entry = { version: 1, ...place, sequence, round: null, atMs: 5, kind, data };
  const text = canonicalJson(entry);
  return { entry, text, leafHash: leafHash(utf8(text), crypto.sha256).toHex() };
}

const rows = [
  rowOf(0, 'server.started', { keys: { exportList: fingerprint(listKey) } }),
  rowOf(1, 'note', { text: 'naïve\nline' }),
  rowOf(2, 'note', {}),
];

function filesOf(all: readonly ReturnType<typeof rowOf>[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([['journal.jsonl', utf8(all.map(({ text }) => `${text}\n`).join(''))]]);
  const proof = proofFiles(all, { origin: originOf(place), key: logKey }, crypto.sha256);
  for (const [name, text] of Object.entries(proof)) files.set(name, utf8(text));
  const list = exportListText([...files].map(([name, bytes]) => ({ name, sha256: crypto.sha256(bytes).toHex() })));
  return files.set('SHA256SUMS', utf8(list)).set('SHA256SUMS.sig', signExportList(utf8(list), listKey));
}

test('verifyExport() takes a log of three entries without a model', async () => {
  const audit = await verifyExport(filesOf(rows), { crypto, trusted: fingerprint(logKey) });
  assert.deepEqual(audit.findings, []);
  assert.deepEqual([audit.entries, audit.heads, audit.model], [3, 0, null]);
});

test('verifyExport() refuses entries that are signed and still no log: out of place, of another run, not canonical', async () => {
  const bad = {
    'a sequence number twice': [rows[0]!, { ...rowOf(0, 'note', {}) }],
    'another run': [rows[0]!, rowOf(1, 'note', {}), otherRun()],
    'a tree head of nothing': [rows[0]!, rowOf(1, 'log.tree-head', { size: 1, checkpoint: 'no' })],
    'a signature of a witness that nobody named': [
      rows[0]!,
      rowOf(1, 'log.cosigned', { witness: 'w', checkpoint: 'no' }),
    ],
  };
  for (const [what, all] of Object.entries(bad)) {
    const { findings } = await verifyExport(filesOf(all), { crypto, trusted: fingerprint(logKey) });
    assert.deepEqual([findings[0]?.file, findings[0]?.entry], ['journal.jsonl', all.length - 1], what);
  }
});

test('verifyExport() holds an export against the head that a site has seen: another history, and a log cut short, are found', async () => {
  const headOf = (all: readonly ReturnType<typeof rowOf>[], key = logKey) =>
    proofFiles(all, { origin: originOf(place), key }, crypto.sha256)['checkpoint.txt']!;
  const problemsWith = async (seen: string) =>
    (await verifyExport(filesOf(rows), { crypto, trusted: fingerprint(logKey), seen })).findings.map(
      ({ problem }) => problem,
    );
  for (const size of [1, 2, 3]) assert.deepEqual(await problemsWith(headOf(rows.slice(0, size))), []);
  const other = [rows[0]!, rowOf(1, 'note', { text: 'what the site was shown' })];
  assert.match((await problemsWith(headOf(other)))[0]!, /does not continue the 2 entries that the site has seen/);
  assert.match((await problemsWith(headOf([...rows, rowOf(3, 'note', {})])))[0]!, /does not continue the 4 entries/);
  assert.match((await problemsWith(headOf(rows, listKey)))[0]!, /is not of the log/);
  assert.match((await problemsWith(''))[0]!, /is not of the log/);
});

test('verifyJournal() names the entry whose text was changed, or the leaf that was', async () => {
  const files = filesOf(rows);
  const checkpoint = parseCheckpoint(new TextDecoder().decode(files.get('checkpoint.txt')))!;
  const key = parseVerifierKey(new TextDecoder().decode(files.get('log.vkey')))!;
  const check = (journal: string, leaves: string) =>
    verifyJournal(utf8(journal), utf8(leaves), { checkpoint, key }, crypto).then(({ findings }) => findings[0]);
  const [journal, leaves] = [files.get('journal.jsonl')!, files.get('journal.leaves')!].map((one) =>
    new TextDecoder().decode(one),
  ) as [string, string];
  assert.equal(await check(journal, leaves), undefined);
  assert.deepEqual(await check(journal.replace('naïve', 'naive'), leaves), {
    file: 'journal.jsonl',
    entry: 1,
    problem: 'is not what the signed tree head covers: it was changed',
  });
  const other = leaves.split('\n').toSpliced(2, 1, '0'.repeat(64)).join('\n');
  assert.deepEqual(await check(journal, other), {
    file: 'journal.leaves',
    entry: 2,
    problem: 'is not the hash of its entry, which is intact',
  });
  assert.equal((await check(journal.slice(0, -1), leaves))?.problem, 'has no end of line');
});

test('a list of files has one signature in one encoding', async () => {
  const list = utf8(
    exportListText([
      { name: 'b', sha256: '2' },
      { name: 'a', sha256: '1' },
    ]),
  );
  assert.equal(new TextDecoder().decode(list), '1  a\n2  b\n');
  const signature = signExportList(list, listKey);
  assert.deepEqual(await exportListSigner(list, signature, crypto), Uint8Array.from(listKey.publicKey));
  const text = new TextDecoder().decode(signature);
  for (const bad of [utf8(`${text} `), utf8(text.replace('{', '{"x":1,')), utf8('{}'), utf8('no'), logKey.publicKey]) {
    assert.equal(await exportListSigner(list, bad, crypto), undefined);
  }
  assert.equal(await exportListSigner(utf8('other'), signature, crypto), undefined);
});

function otherRun(): ReturnType<typeof rowOf> {
  const entry = { ...rowOf(2, 'note', {}).entry, runId: 'other' };
  const text = canonicalJson(entry);
  return { entry, text, leafHash: leafHash(utf8(text), crypto.sha256).toHex() };
}
