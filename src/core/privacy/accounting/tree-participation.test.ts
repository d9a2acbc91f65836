import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { epsilon } from '../index.ts';
import { gaussianEpsilon } from './analytic-gaussian.ts';
import { treeSensitivitySquare } from './tree-participation.ts';

const shared = process.env.QFLARE_SHARED ?? join(import.meta.dirname, '../../../../../shared');
const path = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(path) ? false : `no outside vectors at ${path}`;

/** Every set of leaves is tried; nodes are the complete aligned ones. */
function byTrying(steps: number, max: number, separation: number): number {
  let most = 0;
  for (let set = 1; set < 2 ** steps; set++) {
    const leaves = Array.from({ length: steps }, (_, i) => i).filter((i) => (set >> i) & 1);
    if (leaves.length > max || leaves.some((leaf, i) => i > 0 && leaf - leaves[i - 1]! <= separation)) continue;
    let sum = 0;
    for (let size = 1; size <= steps; size *= 2) {
      for (let start = 0; start + size <= steps; start += size) {
        sum += leaves.filter((leaf) => leaf >= start && leaf < start + size).length ** 2;
      }
    }
    most = Math.max(most, sum);
  }
  return most;
}

describe('treeSensitivitySquare()', () => {
  it('meets TF-privacy', { skip }, () => {
    const rows = JSON.parse(readFileSync(path, 'utf8')).accountants.tree_aggregation.sensitivity_square_sum;
    assert.ok(rows.length >= 3);
    for (const { max_participation: max, min_separation: separation, steps, expected } of rows) {
      assert.equal(treeSensitivitySquare(steps, { max, separation }), expected);
    }
    // From the same tests, quoted in the notes.
    assert.equal(treeSensitivitySquare(8, { max: 1, separation: 7 }), 4);
    assert.equal(treeSensitivitySquare(24, { max: 8, separation: 2 }), 88);
  });

  it('is what trying every set of leaves gives, for every small tree', () => {
    for (let steps = 1; steps <= 10; steps++) {
      for (const max of [1, 2, 3, 10]) {
        for (const separation of [0, 1, 2, 4, 11]) {
          const name = `${steps} steps, ${max} times, ${separation} between`;
          assert.equal(treeSensitivitySquare(steps, { max, separation }), byTrying(steps, max, separation), name);
        }
      }
    }
  });

  it('grows with the participations and with the steps, falls with the separation', () => {
    const at = (steps: number, max: number, separation: number) => treeSensitivitySquare(steps, { max, separation });
    assert.ok(at(200, 4, 20) > at(200, 3, 20) && at(200, 4, 20) >= at(100, 4, 20) && at(200, 4, 20) >= at(200, 4, 40));
    assert.throws(() => at(0, 1, 0), /steps must be an integer of at least 1: current value is 0$/);
  });
});

describe('tree aggregation with several participations', () => {
  const tree = { mechanism: 'tree-aggregation', noiseMultiplier: 8, steps: 1 } as const;

  it('one participation costs the tree’s depth, several the squared sensitivity, restarts one tree after another', () => {
    const delta = 1e-6;
    const several = epsilon({ ...tree, treeSteps: 24, participations: 8, separation: 2, delta });
    assert.equal(several.pld, gaussianEpsilon(Math.sqrt(88) / 8, delta));
    const restarted = epsilon({ ...tree, treeSteps: 8, steps: 3, delta });
    assert.equal(restarted.pld, gaussianEpsilon(Math.sqrt(3 * 4) / 8, delta));
    assert.ok(several.rdp > several.pld);
    const once = epsilon({ ...tree, treeSteps: 7, participations: 1, delta });
    assert.equal(once.pld, epsilon({ ...tree, treeSteps: 7, delta }).pld);
  });
});
