import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { exp, log } from './portable.ts';

/** The distance in units of the last place of the larger one. */
function ulps(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const scale = Math.max(Math.abs(a), Math.abs(b));
  return Math.abs(a - b) / (scale * 2 ** -52);
}

test('log() and exp() at places that a reader can check', () => {
  assert.equal(log(1), 0);
  assert.equal(log(Math.E), 1);
  assert.equal(log(2), Math.LN2);
  assert.equal(log(10), Math.LN10);
  assert.equal(exp(0), 1);
  assert.ok(ulps(exp(1), Math.E) <= 1);
  assert.equal(exp(Math.LN2), 2);
  assert.equal(log(0), Number.NEGATIVE_INFINITY);
  assert.equal(log(-0), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(log(-1)) && Number.isNaN(log(Number.NaN)) && Number.isNaN(exp(Number.NaN)));
  assert.equal(log(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  assert.equal(exp(Number.NEGATIVE_INFINITY), 0);
  assert.equal(exp(710), Number.POSITIVE_INFINITY);
  assert.equal(exp(-746), 0);
});

test('log() and exp() keep their bits: this is what another processor must give', () => {
  const bits = (value: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return view.getBigUint64(0).toString(16);
  };
  assert.deepEqual([log(3), log(0.1), log(1e300), log(5e-324), log(1.0000001)].map(bits), [
    '3ff193ea7aad030a',
    'c0026bb1bbb55515',
    '4085963447f87fb5',
    'c0874385446d71c3',
    '3e7ad7f2847b6492',
  ]);
  assert.deepEqual([exp(0.5), exp(-3.7), exp(700), exp(-740), exp(1e-9)].map(bits), [
    '3ffa61298e1e069c',
    '3f99511fc6871044',
    '7f0d945df4f8ec8e',
    '55',
    '3ff000000044b830',
  ]);
});

test('log() is within one unit of the last place of Math.log over all of float64', () => {
  fc.assert(
    fc.property(fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true }), (x) => ulps(log(x), Math.log(x)) <= 1),
    { seed: 5, numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => ulps(log(x), Math.log(x)) <= 1),
    { seed: 6, numRuns: 5000 },
  );
});

test('exp() is within one unit of the last place of Math.exp, down to the smallest numbers', () => {
  fc.assert(
    fc.property(fc.double({ min: -708, max: 709.7, noNaN: true }), (x) => ulps(exp(x), Math.exp(x)) <= 1),
    { seed: 7, numRuns: 5000 },
  );
  for (let x = -745; x < -708; x += 0.37) assert.ok(Math.abs(exp(x) - Math.exp(x)) <= 5e-324, String(x));
});
