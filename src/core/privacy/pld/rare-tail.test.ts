import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epsilon } from '../accounting/epsilon.ts';
import { epsilonAtDelta } from './composition.ts';
import type { LossMass } from './loss-mass.ts';
import { composeRare, rarestSplit } from './rare-tail.ts';

const pldOf = (sampleRate: number, steps: number, delta: number) =>
  epsilon({ noiseMultiplier: 1, sampleRate, steps, delta }).pld;

test('a rare tail far under the bulk: two steps cost what the double integral says in 50 digits, rounding does not hide it', () => {
  const truth = 0.0208696278;
  const found = pldOf(1e-5, 2, 1e-18);
  assert.ok(found >= truth && found < truth + 2e-5, `${found}`);
});

test('with a rare tail T steps cost about what one does at δ ÷ T: one large loss is all that counts', () => {
  // One step in closed form, 40 digits.
  for (const [sampleRate, steps, single] of [
    [1e-5, 8, 0.02505940367],
    [1e-4, 64, 0.3669792734],
  ] as const) {
    const found = pldOf(sampleRate, steps, 1e-18);
    assert.ok(found > single - 1e-5 && found < single + 1e-4, `q ${sampleRate}, T ${steps}: ${found}`);
  }
});

test('the tail alone, composed, is what direct sums give; the bulk that is set apart stays below ε', () => {
  // Losses −1 … 4 in steps of 1, the two largest rare; three steps.
  const mass = Float64Array.of(0.4, 0.35, 0.2, 0.05 - 2e-9, 1.5e-9, 0.5e-9);
  const loss: LossMass = { meshStep: 1, first: -1, shift: 0, mass, infinityMass: 0 };
  const split = {
    bulk: { ...loss, mass: mass.slice().fill(0, 4) },
    rare: { ...loss, mass: mass.slice().fill(0, 0, 4) },
  };
  const found = composeRare({ loss, count: 3 }, split, { tilt: 1, low: -4, high: 13 });
  const sums = new Map<number, number>();
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) {
      for (let k = 0; k < 6; k++) {
        if (Math.max(i, j, k) < 4) continue;
        sums.set(i + j + k - 3, (sums.get(i + j + k - 3) ?? 0) + mass[i]! * mass[j]! * mass[k]!);
      }
    }
  }
  for (let i = 0; i < found.mass.length; i++) {
    const at = found.first + i;
    const tilted = (sums.get(at) ?? 0) * Math.exp(at - found.logScale);
    assert.ok(Math.abs(found.mass[i]! - tilted) <= found.noise, `loss ${at}: ${found.mass[i]} instead of ${tilted}`);
  }
  assert.ok(found.noise < 1e-19, `${found.noise}`);
  const { epsilon: eps } = epsilonAtDelta(found, 1e-9, 0);
  assert.ok(eps > 0 && eps < 4, `${eps}`);
  const apart = rarestSplit({ loss, count: 3 }, 4.5, Math.log(0.2))!;
  assert.ok(apart.bulk.mass[2]! > 0 && apart.rare.mass[5] === 0.5e-9);
  assert.deepEqual(
    apart.bulk.mass.map((value, i) => value + apart.rare.mass[i]!),
    mass,
  );
  assert.equal(
    rarestSplit({ loss, count: 3 }, 100, Math.log(0.5)),
    undefined,
    'nothing is rare where nothing reaches ε',
  );
});
