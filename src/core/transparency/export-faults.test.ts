// An export with models, cards and tree heads, and each way in which one file of it can be wrong: the finding names it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { parsePlan } from '../plan/plan.ts';
import { canonicalJson, type Json } from '../protocol/canonical-json.ts';
import { leafHash } from '../protocol/merkle.ts';
import { originOf, signCheckpoint } from './checkpoint.ts';
import { exportListText, signExportList } from './export-list.ts';
import { proofFiles } from './export-proof.ts';
import { createMerkleLog } from './merkle-log.ts';
import { modelCardOf, signModelCard } from './model-card.ts';
import { verifyExport } from './verify-export.ts';

const crypto = createNodeCrypto();
const place = { orgId: 'org', runId: 'run' };
const [logKey, listKey, cardKey, strange] = Array.from({ length: 4 }, () => crypto.generateSigningKey()) as [
  ReturnType<typeof crypto.generateSigningKey>,
  ReturnType<typeof crypto.generateSigningKey>,
  ReturnType<typeof crypto.generateSigningKey>,
  ReturnType<typeof crypto.generateSigningKey>,
];
const hash = (bytes: Uint8Array) => crypto.sha256(bytes).toHex();
const utf8 = (text: string) => new TextEncoder().encode(text);
const fingerprint = hash(logKey.publicKey);

const model = utf8('the weights');
const plan = parsePlan({ model: { kind: 'softmax-regression', inputs: 4, classes: 3 } });
const cardBy = (key: typeof cardKey, of = model) =>
  utf8(
    JSON.stringify(
      signModelCard(
        modelCardOf(plan, {
          ...place,
          model: hash(of),
          modelVersion: 1,
          round: 1,
          parent: null,
          participants: null,
          privacy: null,
        }),
        key,
      ),
    ),
  );
const card = cardBy(cardKey);

type Entry = readonly [kind: string, data: Record<string, Json>];
const started: Entry = [
  'server.started',
  { keys: { exportList: hash(listKey.publicKey), modelCard: hash(cardKey.publicKey) } },
];
const published: Entry = ['model.published', { hash: hash(model), card: hash(card) }];

/** Rows of a journal, with a tree head over what came before wherever `head` stands. */
function rowsOf(entries: readonly (Entry | 'head')[]) {
  const tree = createMerkleLog(crypto.sha256);
  return entries.map((one, sequence) => {
    const size = tree.size();
    const [kind, data]: Entry =
      one !== 'head'
        ? one
        : [
            'log.tree-head',
            { size, checkpoint: signCheckpoint({ origin: originOf(place), size, root: tree.root(size) }, logKey) },
          ];
    const entry = { version: 1, ...place, sequence, round: null, atMs: 5, kind, data };
    const text = canonicalJson(entry as unknown as Json);
    const leaf = leafHash(utf8(text), crypto.sha256);
    tree.append(leaf);
    return { entry, text, leafHash: leaf.toHex() };
  });
}

function listed(files: Map<string, Uint8Array>, key = listKey): Map<string, Uint8Array> {
  const others = [...files].filter(([name]) => !name.startsWith('SHA256SUMS'));
  const list = utf8(exportListText(others.map(([name, bytes]) => ({ name, sha256: hash(bytes) }))));
  return files.set('SHA256SUMS', list).set('SHA256SUMS.sig', signExportList(list, key));
}

function filesOf(entries: readonly (Entry | 'head')[], more: Readonly<Record<string, Uint8Array>> = {}) {
  const rows = rowsOf(entries);
  const files = new Map<string, Uint8Array>([['journal.jsonl', utf8(rows.map(({ text }) => `${text}\n`).join(''))]]);
  const proof = proofFiles(rows, { origin: originOf(place), key: logKey }, crypto.sha256);
  for (const [name, text] of Object.entries(proof)) files.set(name, utf8(text));
  for (const [name, bytes] of Object.entries(more)) files.set(name, bytes);
  return listed(files);
}

const journal: readonly (Entry | 'head')[] = [started, 'head', ['note', {}], published, 'head', ['note', { n: 2 }]];
const whole = () => filesOf(journal, { 'model.safetensors': model, 'card.json': card });
const verify = (files: Map<string, Uint8Array>, trusted: string | undefined = fingerprint) =>
  verifyExport(files, { crypto, trusted });
const blamed = async (files: Map<string, Uint8Array>) => (await verify(files)).findings.map(({ file }) => file);
const without = (name: string) => {
  const files = whole();
  files.delete(name);
  return files;
};

test('an export with a model, its card and two tree heads is intact, and says what it is', async () => {
  const { findings, ...audit } = await verify(whole());
  assert.deepEqual(findings, []);
  assert.deepEqual(audit, {
    isIntact: true,
    ledger: null,
    origin: originOf(place),
    keyFingerprint: fingerprint,
    isKeyTrusted: true,
    entries: 6,
    hidden: 0,
    heads: 2,
    witnesses: [],
    model: hash(model),
  });
  const untrusting = await verifyExport(whole(), { crypto });
  assert.deepEqual(
    [untrusting.isIntact, untrusting.isKeyTrusted, untrusting.keyFingerprint],
    [true, false, fingerprint],
  );
  const doubted = await verify(whole(), hash(strange.publicKey));
  assert.deepEqual([doubted.isIntact, doubted.isKeyTrusted], [false, false]);
  assert.deepEqual(
    doubted.findings.map(({ file }) => file),
    ['log.vkey'],
  );
  // The model of a run that has just begun is the one it was created with.
  const created: Entry = ['run.created', { model: hash(model), card: hash(card) }];
  const begun = filesOf([started, created], { 'model.safetensors': model, 'card.json': card });
  assert.deepEqual([(await verify(begun)).isIntact, (await verify(begun)).model], [true, hash(model)]);
  // The model may be left out, with its card: then only its name is known.
  const lean = await verify(filesOf(journal));
  assert.deepEqual([lean.isIntact, lean.model], [true, hash(model)]);
});

test('a file that is missing, added, exchanged or out of order is named', async () => {
  for (const name of [
    'checkpoint.txt',
    'consistency.json',
    'journal.jsonl',
    'journal.leaves',
    'log.vkey',
    'SHA256SUMS',
  ])
    assert.ok((await blamed(without(name))).includes(name), `without ${name}`);
  assert.deepEqual(await blamed(without('model.safetensors')), ['model.safetensors', 'model.safetensors']);
  assert.deepEqual(await blamed(without('card.json')), ['card.json', 'card.json']);
  const extra = whole().set('more.txt', utf8('x'));
  assert.deepEqual((await verify(extra)).findings, [{ file: 'more.txt', entry: null, problem: 'is not listed' }]);
  const changed = listed(whole().set('notes.txt', utf8('a'))).set('notes.txt', utf8('b'));
  assert.deepEqual(
    (await verify(changed)).findings.map(({ problem }) => problem),
    ['is not the file that was listed'],
  );
  const reversed = whole();
  const lines = new TextDecoder().decode(reversed.get('SHA256SUMS')).trimEnd().split('\n');
  const list = utf8(`${lines.toReversed().join('\n')}\n`);
  reversed.set('SHA256SUMS', list).set('SHA256SUMS.sig', signExportList(list, listKey));
  assert.deepEqual((await verify(reversed)).findings, [
    { file: 'SHA256SUMS', entry: null, problem: 'is not in order' },
  ]);
});

test('signatures of other keys than the journal names are refused', async () => {
  assert.deepEqual(await blamed(listed(whole(), strange)), ['SHA256SUMS']);
  const forged = cardBy(strange);
  const named: Entry = ['model.published', { hash: hash(model), card: hash(forged) }];
  assert.deepEqual(await blamed(filesOf([started, named], { 'model.safetensors': model, 'card.json': forged })), [
    'card.json',
  ]);
  const unsigned = utf8('{}');
  const empty: Entry = ['model.published', { hash: hash(model), card: hash(unsigned) }];
  assert.deepEqual(await blamed(filesOf([started, empty], { 'model.safetensors': model, 'card.json': unsigned })), [
    'card.json',
  ]);
  // A card of ours, of another model; a model of ours, under another card.
  const elsewhere = cardBy(cardKey, utf8('others'));
  const other: Entry = ['model.published', { hash: hash(model), card: hash(elsewhere) }];
  assert.deepEqual(await blamed(filesOf([started, other], { 'model.safetensors': model, 'card.json': elsewhere })), [
    'card.json',
  ]);
  assert.deepEqual(await blamed(filesOf([started, published], { 'model.safetensors': utf8('x'), 'card.json': card })), [
    'model.safetensors',
  ]);
  assert.deepEqual(
    await blamed(filesOf([started, published], { 'model.safetensors': model, 'card.json': elsewhere })),
    ['card.json'],
  );
});

test('tree heads must lead to one another: a proof of other hashes, other sizes or no JSON is refused', async () => {
  const text = new TextDecoder().decode(whole().get('consistency.json'));
  const steps = JSON.parse(text) as { from: number; to: number; hashes: string[] }[];
  assert.deepEqual(
    steps.map(({ from, to }) => [from, to]),
    [
      [1, 4],
      [4, 6],
    ],
  );
  const [first, second] = steps as [(typeof steps)[0], (typeof steps)[0]];
  const bad: unknown[] = [
    [first, { ...second, hashes: [...second.hashes, second.hashes[0]] }],
    [{ ...first, hashes: first.hashes.toReversed() }, second],
    [first, { ...second, from: 3 }],
    [second, first],
    [first, { ...second, hashes: ['zz'] }],
  ];
  for (const value of [...bad.map((one) => JSON.stringify(one)), 'no']) {
    assert.deepEqual(
      await blamed(listed(whole().set('consistency.json', utf8(value)))),
      ['consistency.json'],
      value.slice(0, 60),
    );
  }
});
