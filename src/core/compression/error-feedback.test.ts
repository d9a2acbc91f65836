import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createNodeDeflate } from '../../adapters/deflate-node.ts';
import { encodeWithResidual } from './error-feedback.ts';
import { topK } from './top-k.ts';

const deflate = createNodeDeflate();

test('three updates by hand: what is left out grows until it is the largest, and is sent then', () => {
  // A quarter of four values is one. 4: sent; 3 waits.          4 3 0 0 → 4 . . .   r = 0 3 0 0
  // 4 and 3 + 3: the six is sent, and now the four waits.       4 6 0 0 → . 6 . .   r = 4 0 0 0
  // 4 + 4 and 3: the eight is sent.                             8 3 0 0 → 8 . . .   r = 0 3 0 0
  const vector = Float32Array.of(4, 3, 0, 0);
  let residual: Float32Array | undefined;
  const sent: number[][] = [];
  const left: number[][] = [];
  for (let round = 0; round < 3; round++) {
    const encoded = encodeWithResidual(topK, { vector, residual }, deflate, { topShare: 0.25 });
    sent.push([...topK.decode(encoded.bytes, 4, deflate)!]);
    left.push([...encoded.residual]);
    residual = encoded.residual;
  }
  assert.deepEqual(sent, [
    [4, 0, 0, 0],
    [0, 6, 0, 0],
    [8, 0, 0, 0],
  ]);
  assert.deepEqual(left, [
    [0, 3, 0, 0],
    [4, 0, 0, 0],
    [0, 3, 0, 0],
  ]);
  assert.deepEqual([...vector], [4, 3, 0, 0], 'the update itself is not changed');
});

test('law: what was sent and what is left out add up to all updates', () => {
  const value = fc.float({ min: -100, max: 100, noNaN: true });
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 40 })
        .chain((d) => fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: 1, maxLength: 8 })),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (updates, topShare) => {
        const d = updates[0]!.length;
        const [given, sent] = [new Float64Array(d), new Float64Array(d)];
        let residual: Float32Array | undefined;
        for (const update of updates) {
          const encoded = encodeWithResidual(topK, { vector: Float32Array.from(update), residual }, deflate, {
            topShare,
          });
          const arrived = topK.decode(encoded.bytes, d, deflate)!;
          for (let i = 0; i < d; i++) {
            given[i]! += Math.fround(update[i]!);
            sent[i]! += arrived[i]!;
          }
          residual = encoded.residual;
        }
        for (let i = 0; i < d; i++) assert.ok(Math.abs(given[i]! - sent[i]! - residual![i]!) < 1e-3, `value ${i}`);
      },
    ),
    { seed: 5, numRuns: 100 },
  );
});

test('what was left out of another model is refused', () => {
  const pair = { vector: new Float32Array(3), residual: new Float32Array(2) };
  assert.throws(() => encodeWithResidual(topK, pair, deflate, {}), /must have 3 values: current value is 2/);
});
