import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import {
  checkpointText,
  cosign,
  isSignedBy,
  logKeyOf,
  originOf,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.ts';
import { encodeNote, encodeVerifierKey, keyIdOf, type NoteKey, parseNote, parseVerifierKey } from './signed-note.ts';

const crypto = createNodeCrypto();
const key = crypto.generateSigningKey();
const origin = originOf({ orgId: 'org', runId: 'run' });
const head = { origin, size: 7, root: crypto.sha256(Uint8Array.of(7)) };
const logKey = logKeyOf(origin, key.publicKey);

// The examples of C2SP signed-note and tlog-cosignature.
const poem = `Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
`;
const sofa = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

test('the notes and the checkpoint of the C2SP documents are read and written back byte for byte', () => {
  const note = parseNote(poem)!;
  assert.equal(note.text.split('\n').length, 5);
  assert.equal(note.signatures[0]!.keyId, '367ba04b');
  assert.equal(encodeNote(note), poem);
  const checkpoint = parseCheckpoint(sofa)!;
  assert.deepEqual([checkpoint.head.size, checkpoint.note.signatures.length], [20_852_163, 2]);
  assert.equal(encodeNote(checkpoint.note), sofa);
  assert.equal(checkpointText(checkpoint.head), sofa.split('\n\n')[0] + '\n');
  assert.equal(parseCheckpoint(poem), undefined);
});

test('a checkpoint is signed by its log and by no other key, name or purpose', async () => {
  const encoded = signCheckpoint(head, key);
  const checkpoint = parseCheckpoint(encoded)!;
  assert.deepEqual(checkpoint.head.size, 7);
  assert.ok(await isSignedBy(checkpoint, logKey, crypto));
  assert.ok(!(await isSignedBy(checkpoint, logKeyOf(origin, crypto.generateSigningKey().publicKey), crypto)));
  assert.ok(!(await isSignedBy(checkpoint, logKeyOf(`${origin}x`, key.publicKey), crypto)));
  assert.ok(!(await isSignedBy(checkpoint, { ...logKey, type: 'cosignature' }, crypto)));
});

test('one changed bit anywhere in a checkpoint is seen', async () => {
  const bytes = new TextEncoder().encode(signCheckpoint(head, key));
  let seen = 0;
  for (let at = 0; at < bytes.length; at += at < 200 ? 1 : 97) {
    for (const bit of [0, 5]) {
      const copy = bytes.slice();
      copy[at]! ^= 1 << bit;
      const checkpoint = parseCheckpoint(new TextDecoder().decode(copy));
      assert.ok(checkpoint === undefined || !(await isSignedBy(checkpoint, logKey, crypto)), `byte ${at}, bit ${bit}`);
      seen += 1;
    }
  }
  assert.ok(seen > 400);
});

test('a witness signs the same text with a time of its own, and the log’s signature stays', async () => {
  const witness = { name: 'witness.example', key: crypto.generateSigningKey() };
  const witnessKey: NoteKey = { name: witness.name, type: 'cosignature', publicKey: witness.key.publicKey };
  const first = parseCheckpoint(signCheckpoint(head, key))!;
  const both = parseCheckpoint(
    encodeNote({ ...first.note, signatures: [...first.note.signatures, cosign(head, witness, 1_790_000_000)] }),
  )!;
  assert.ok((await isSignedBy(both, logKey, crypto)) && (await isSignedBy(both, witnessKey, crypto)));
  // The time is part of what is signed.
  const line = both.note.signatures[1]!;
  const later = line.signature.slice();
  later[7]! ^= 1;
  const forged = {
    ...both,
    note: { ...both.note, signatures: [both.note.signatures[0]!, { ...line, signature: later }] },
  };
  assert.ok(!(await isSignedBy(forged, witnessKey, crypto)));
  const short = { ...both, note: { ...both.note, signatures: [{ ...line, signature: later.slice(0, 4) }] } };
  assert.ok(!(await isSignedBy(short, witnessKey, crypto)));
});

test('a verifier key is one line that is read back; a changed one is none', () => {
  const text = encodeVerifierKey(logKey);
  const read = parseVerifierKey(`${text}\n`)!;
  assert.equal(read.name, origin);
  assert.equal(read.type, 'treeHead');
  assert.equal(keyIdOf(read), keyIdOf(logKey));
  for (const bad of [
    text.replace('+', ''),
    text.replace('run+', 'ruN+'),
    `${text}AA`,
    'a b+00000000+AAAA',
    'name+00000000+/w==',
    '',
  ]) {
    assert.equal(parseVerifierKey(bad), undefined, bad.slice(0, 40));
  }
});

test('what is nearly a note is none: no signature, two blank lines, a control character in a name, loose base64', () => {
  const encoded = signCheckpoint(head, key);
  for (const bad of [
    '',
    'text\n',
    encoded.split('\n\n')[0] + '\n\n',
    encoded.trimEnd(),
    encoded.replace('— ', '- '),
    encoded.replace('— ', '—  '),
    `${encoded}— x !\n`,
    `${encoded}— x AAAA\n`,
  ]) {
    assert.equal(parseNote(bad), undefined, JSON.stringify(bad.slice(-60)));
  }
  const many = `${encoded}${encoded.split('\n\n')[1]!.repeat(16)}`;
  assert.equal(parseNote(many), undefined);
  for (const bad of ['7\n', '07\n', '-7\n', '1e3\n']) {
    const text = checkpointText(head).replace('\n7\n', `\n${bad}`);
    const isSame = bad === '7\n';
    assert.equal(parseCheckpoint(encoded.replace(checkpointText(head), text)) === undefined, !isSame);
  }
});
