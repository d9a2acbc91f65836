// Fixed seeds; bounds of six standard errors, so a false alarm under a fresh seed has probability below 1e-6.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entropy } from '../../../ports/entropy.ts';
import { createRng } from '../../random/rng.ts';
import { epsilon } from '../accounting/epsilon.ts';
import { privUnit, privUnitReport } from './priv-unit.ts';
import { epsilonOfEach, responseOf, unitUpdate, unitUpdateNorm, unitUpdates } from './priv-unit-update.ts';

function seeded(name: string): Entropy {
  const rng = createRng(5).child('unit', name);
  const fillBytes = (target: Uint8Array) => void target.forEach((_, i) => (target[i] = rng.uint32()));
  return { purpose: 'secret', fillBytes };
}

test('epsilonOfEach(): together the reports cost what they may, never more, and at least as basic composition allows', () => {
  for (const [total, delta, releases] of [
    [8, 1e-5, 1],
    [8, 1e-5, 20],
    [1, 1e-6, 100],
  ] as const) {
    const each = epsilonOfEach({ epsilon: total, delta, releases });
    const spent = epsilon({ ...responseOf(each), steps: releases, delta }).epsilon;
    assert.ok(spent <= total && spent > 0.99 * total, `${spent} of ${total}`);
    assert.ok(each >= total / releases);
  }
  assert.ok(
    epsilonOfEach({ epsilon: 1, delta: 1e-6, releases: 100 }) > 1.5 / 100,
    'the PLD gains on basic composition',
  );
});

test('unitUpdate() is unbiased for the clipped update, short and long, and always of one norm', () => {
  const setting = unitUpdates(6, { epsilon: 4, delta: 1e-5, releases: 1 });
  const clipNorm = 0.5;
  for (const [name, length] of [
    ['short', 0.2],
    ['long', 30],
  ] as const) {
    const entropy = seeded(name);
    const update = [0, 0.6 * length, 0, -0.8 * length, 0, 0];
    const expected = update.map((value) => (value / length) * Math.min(length, clipNorm));
    const mean = new Float64Array(6);
    const reports = 1500;
    for (let i = 0; i < reports; i++) {
      const report = unitUpdate(update, { clipNorm, setting, entropy });
      assert.ok(Math.abs(Math.hypot(...report) / unitUpdateNorm(setting, clipNorm) - 1) < 1e-6);
      report.forEach((value, k) => (mean[k]! += value / reports));
    }
    const error = 6 * unitUpdateNorm(setting, clipNorm) * Math.sqrt(1 / reports);
    mean.forEach((value, k) => assert.ok(Math.abs(value - expected[k]!) < error, `${name} ${k}: ${value}`));
  }
});

test('what has no length or no finite value gives a report like any other', () => {
  const setting = unitUpdates(4, { epsilon: 1, delta: 1e-5, releases: 1 });
  for (const update of [
    [0, 0, 0, 0],
    [Number.NaN, 0, 0, 0],
    [1e200, 1e200, 0, 0],
    [1e-300, 0, 0, 0],
  ]) {
    const report = unitUpdate(update, { clipNorm: 1, setting, entropy: seeded('none') });
    assert.ok(Math.abs(Math.hypot(...report) / unitUpdateNorm(setting, 1) - 1) < 1e-6, String(update));
  }
});

test('a report falls into any cap with at most e^ε of the probability under any other vector: counted', () => {
  const setting = privUnit(5, 1.5);
  const [v, w] = [
    [1, 0, 0, 0, 0],
    [-1, 0, 0, 0, 0],
  ];
  const share = (vector: number[], name: string, draws: number) => {
    const entropy = seeded(name);
    let inside = 0;
    for (let i = 0; i < draws; i++) {
      const report = privUnitReport(entropy, vector, setting);
      if (report[0]! * setting.scale >= setting.gamma) inside += 1;
    }
    return inside / draws;
  };
  const [here, there] = [share(v, 'v', 4000), share(w, 'w', 4000)];
  const ratio = here / there;
  // The cap around v is where the ratio is largest: e^1.5 exactly, with six standard errors on either side.
  const error = 6 * ratio * Math.sqrt((1 - here) / (4000 * here) + (1 - there) / (4000 * there));
  assert.ok(Math.abs(ratio - Math.exp(1.5)) < error, `${ratio} ± ${error}`);
  assert.ok(Math.abs(here - setting.p) < 6 * Math.sqrt(0.25 / 4000), `${here} of ${setting.p}`);
});

test('every vector has the same set of reports: with the same directions drawn, each report is one of them, bit for bit', () => {
  // Two far vectors under the same entropy take the same first direction that suits them: no arithmetic mixes it with the vector.
  const setting = privUnit(3, 2);
  const reports = (vector: number[]) => {
    const entropy = seeded('same');
    return Array.from({ length: 60 }, () => privUnitReport(entropy, vector, setting).join());
  };
  const [one, other] = [new Set(reports([1, 0, 0])), reports([0, 0.6, 0.8])];
  assert.ok(
    other.some((report) => one.has(report)),
    'some direction suited both',
  );
});
