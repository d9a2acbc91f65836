// The bytes of an archive by POSIX, and what is refused of archives that are almost right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArchive, encodeArchive } from './ustar.ts';

const text = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);
const file = (name: string, size: number) => ({ name, bytes: new Uint8Array(size).fill(7) });

test('a header has the fields of POSIX.1-1988 and the sum of its bytes with blanks for the sum', () => {
  const header = encodeArchive([file('a/b', 1300)]).subarray(0, 512);
  assert.equal(text(header.subarray(0, 4)), 'a/b\0');
  assert.equal(text(header.subarray(100, 124)), '0000600\u00000000000\u00000000000\0');
  assert.equal(text(header.subarray(124, 148)), '00000002424\u000000000000000\0');
  assert.equal(text(header.subarray(257, 265)), 'ustar\u000000');
  const blanked = header.slice();
  blanked.fill(32, 148, 156);
  const sum = blanked.reduce((total, byte) => total + byte, 0);
  assert.equal(text(header.subarray(148, 156)), `${sum.toString(8).padStart(6, '0')}\0 `);
});

test('files are padded to blocks of 512 bytes and two empty blocks end the archive', () => {
  for (const [size, blocks] of [
    [0, 0],
    [1, 1],
    [511, 1],
    [512, 1],
    [513, 2],
    [1024, 2],
  ] as const) {
    const archive = encodeArchive([file('x', size)]);
    assert.equal(archive.length, 512 * (1 + blocks + 2));
    assert.deepEqual(decodeArchive(archive), [file('x', size)]);
    assert.ok(archive.subarray(512 + size).every((byte) => byte === 0));
  }
  assert.deepEqual(decodeArchive(encodeArchive([])), []);
  assert.deepEqual(decodeArchive(encodeArchive([file('x'.repeat(100), 1)]))[0]!.name.length, 100);
});

test('a change of any bit of a header is refused, and so is any other end', () => {
  const archive = encodeArchive([file('plan', 600)]);
  for (let at = 0; at < 512; at++) {
    const changed = archive.slice();
    changed[at]! ^= 4;
    assert.throws(() => decodeArchive(changed), RangeError, `byte ${at}`);
  }
  const longer = new Uint8Array(archive.length + 512);
  longer.set(archive);
  assert.throws(() => decodeArchive(longer), /has no end/);
  assert.throws(() => decodeArchive(archive.slice(0, -512)), /has no end/);
  // A file that ends with the archive has no end; one that claims more than there is, is cut off.
  assert.throws(() => decodeArchive(archive.slice(0, 512 + 1024)), /has no end/);
  assert.throws(() => decodeArchive(archive.slice(0, 512 + 600)), /has no end|cut off/);
  assert.throws(() => decodeArchive(archive.slice(0, 512 + 599)), /"plan" is cut off/);
  assert.throws(() => decodeArchive(archive.slice(0, 512)), /"plan" is cut off/);
  for (const name of ['a/.', './a', 'a/..', 'a/', 'a\0b', 'ü'.repeat(51)])
    assert.throws(() => encodeArchive([file(name, 1)]), /is no name in a folder/, name);
});
