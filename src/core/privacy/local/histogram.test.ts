// Fixed seeds; bounds of six standard errors, so a false alarm under a fresh seed has probability below 1e-6.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createRng } from '../../random/rng.ts';
import {
  addReport,
  bestOracle,
  counterCount,
  estimateFrequencies,
  type Oracle,
  oracleIds,
  valueReport,
} from './histogram.ts';

const rng = createRng(23).child('histogram');
const entropy: Entropy = {
  purpose: 'secret',
  fillBytes: (target) => void target.forEach((_, i) => (target[i] = rng.uint32())),
};
const zeros = (oracle: Oracle) => Array.from({ length: counterCount(oracle) }, () => 0);

/** One site in five holds 0, one 3, the others 5. */
const held = Array.from({ length: 2500 }, (_, i) => [0, 3, 5, 5, 5][i % 5]!);
const truth = [0.2, 0, 0, 0.2, 0, 0.6, 0];

for (const mechanism of oracleIds) {
  test(`${mechanism} estimates shares within six of its own standard errors, which are what the draws show`, () => {
    const oracle = { mechanism, epsilon: 1.2, valueCount: 7 };
    const counts = zeros(oracle);
    for (const value of held) assert.equal(addReport(counts, valueReport(entropy, value, oracle), oracle), null);
    const { frequencies, standardErrors } = estimateFrequencies(counts, held.length, oracle);
    let square = 0;
    truth.forEach((share, i) => {
      const off = (frequencies[i]! - share) / standardErrors[i]!;
      assert.ok(Math.abs(off) < 6, `${i}: ${frequencies[i]} ± ${standardErrors[i]}`);
      square += off * off;
    });
    // Seven squares of mean 1, correlated: far from both ends where the standard errors are right.
    assert.ok(square > 0.3 && square < 40, `${square}`);
  });

  test(`${mechanism}: whatever one report says, no share moves by more than its reach`, () => {
    const oracle = { mechanism, epsilon: 0.8, valueCount: 7 };
    const counts = zeros(oracle);
    const reports = 40;
    for (let i = 0; i < reports; i++) addReport(counts, valueReport(entropy, i % 7, oracle), oracle);
    const estimateWith = (report: Uint8Array) => {
      const with_ = [...counts];
      return addReport(with_, report, oracle) === null ? estimateFrequencies(with_, reports + 1, oracle) : null;
    };
    // Every report of one byte, and of an integer below 16: all that can be sent.
    const size = valueReport(entropy, 0, oracle).length;
    const possible = Array.from({ length: size === 4 ? 16 : 256 }, (_, i) =>
      size === 4 ? Uint8Array.of(0, 0, 0, i) : Uint8Array.of(i),
    );
    const estimates = possible.flatMap((report) => estimateWith(report) ?? []);
    assert.ok(estimates.length >= 7);
    let largest = 0;
    for (let k = 0; k < 7; k++) {
      const values = estimates.map(({ frequencies }) => frequencies[k]!);
      largest = Math.max(largest, Math.max(...values) - Math.min(...values));
    }
    const { reach } = estimates[0]!;
    assert.ok(largest <= reach * (1 + 1e-9) && largest > 0.99 * reach, `${largest} against ${reach}`);
  });
}

test('k-rr: one answer is e^ε times as likely under its own value as under another', () => {
  const oracle = { mechanism: 'k-rr', epsilon: 1, valueCount: 4 } as const;
  const share = (value: number) => {
    const counts = zeros(oracle);
    for (let i = 0; i < 6000; i++) addReport(counts, valueReport(entropy, value, oracle), oracle);
    return counts[2]! / 6000;
  };
  const [own, other] = [share(2), share(1)];
  assert.ok(
    Math.abs(own / other - Math.E) < 6 * Math.E * Math.sqrt((1 - own) / (6000 * own) + (1 - other) / (6000 * other)),
  );
});

test('auto takes the least variance: k-ary response for few values, a bit for each above that, Hadamard for very many', () => {
  assert.deepEqual(
    [bestOracle(4, 1), bestOracle(11, 1), bestOracle(1024, 1), bestOracle(1025, 1), bestOracle(12, 3)],
    ['k-rr', 'oue', 'oue', 'hadamard', 'k-rr'],
  );
  for (const [valueCount, epsilon] of [
    [4, 1],
    [40, 1],
    [100, 0.3],
    [10, 3],
  ] as const) {
    const errorOf = (mechanism: Oracle['mechanism']) => {
      const oracle = { mechanism, epsilon, valueCount };
      // No counts for a value that nobody holds; Hadamard reports spread evenly say the same.
      const counts = zeros(oracle).map(() => (mechanism === 'hadamard' ? 100 / counterCount(oracle) : 0));
      const { standardErrors } = estimateFrequencies(counts, 100, oracle);
      return standardErrors[0]!;
    };
    const best = errorOf(bestOracle(valueCount, epsilon));
    for (const mechanism of oracleIds)
      assert.ok(best <= errorOf(mechanism) * (1 + 1e-9), `${mechanism} at ${valueCount}, ${epsilon}`);
  }
});

test('no report, and what is no report, adds nothing', () => {
  const oue = { mechanism: 'oue', epsilon: 6, valueCount: 60 } as const;
  const counts = zeros(oue);
  assert.match(addReport(counts, new Uint8Array(7), oue)!, /7 bytes for 60 bits/);
  assert.match(
    addReport(
      counts,
      Uint8Array.from({ length: 8 }, (_, i) => (i === 7 ? 0x10 : 0)),
      oue,
    )!,
    /beyond the last/,
  );
  assert.match(addReport(counts, new Uint8Array(8).fill(0xff, 0, 7), oue)!, /56 bits are set, more than chance/);
  const hadamard = { mechanism: 'hadamard', epsilon: 1, valueCount: 60 } as const;
  assert.match(addReport(zeros(hadamard), Uint8Array.of(0, 0, 1, 0), hadamard)!, /256 of 64/);
  assert.match(addReport(zeros(hadamard), new Uint8Array(3), hadamard)!, /3 bytes in place of 4/);
  assert.ok(counts.every((count) => count === 0));
  assert.equal(estimateFrequencies(counts, 0, oue).reach, Infinity);
});
