import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createPayloadReader, encodePayload } from './payload.ts';

/** Reads a payload that comes in two parts. */
function decodePayload(payload: Uint8Array, cut = 0): { meta: unknown; body: Uint8Array } | undefined {
  const reader = createPayloadReader();
  const [first, second] = [reader.push(payload.subarray(0, cut)), reader.push(payload.subarray(cut))];
  const meta = reader.meta();
  if (first === undefined || second === undefined || meta === undefined) return undefined;
  return { meta: meta.value, body: Buffer.concat([first, second]) };
}

test('encodePayload() puts a length, canonical JSON and the body one behind the other', () => {
  const payload = encodePayload({ b: 1, a: 2 }, Uint8Array.of(7, 8));
  assert.equal(payload.toHex(), `0000000d${Buffer.from('{"a":2,"b":1}').toString('hex')}0708`);
});

test('a payload reader gives back what was encoded, cut anywhere, also from a Buffer with an offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.nat(100), (body, claimedExamples, cut) => {
      const payload = encodePayload({ claimedExamples }, body);
      const shifted = Buffer.concat([Buffer.alloc(3), payload]).subarray(3);
      const parts = decodePayload(shifted, cut);
      assert.deepEqual(parts?.meta, { claimedExamples });
      assert.deepEqual(Uint8Array.from(parts?.body ?? []), body);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test('a payload reader refuses short, overlong, not JSON, not UTF-8, without a throw', () => {
  const length = (value: number) => [value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255);
  const text = (value: string) => [...Buffer.from(value)];
  const bad = [
    [],
    [0, 0, 0],
    length(1),
    [...length(0xffffffff), 1, 2, 3],
    [...length(4097), ...text('1'.padEnd(4097))],
    [...length(2), ...text('{]')],
    [...length(0)],
    [...length(4), ...text('"'), 0xc3, 0x28, ...text('"')],
  ];
  for (const bytes of bad) assert.equal(decodePayload(Uint8Array.from(bytes)), undefined, String(bytes).slice(0, 40));
  assert.ok(decodePayload(Uint8Array.from([...length(4096), ...text('1'.padEnd(4096))])));
});

test('a payload reader never throws on random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, cut) => {
      decodePayload(bytes, cut);
    }),
    { seed: 4, numRuns: 1000 },
  );
});
