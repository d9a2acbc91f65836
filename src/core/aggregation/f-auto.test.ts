import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from './index.ts';
import { byzantineCount, parsePipeline, rangeProblems } from './pipeline.ts';

const withF = Object.keys(registry).filter((rule) => {
  try {
    parsePipeline([{ rule, f: 'auto' }]);
    return true;
  } catch {
    return false;
  }
});

test("f = 'auto' is the largest number within a quarter of the rows and the rule's proof, for every rule that takes f", () => {
  assert.ok(withF.length >= 10, withF.join());
  for (const rule of withF) {
    const steps = parsePipeline([{ rule, f: 'auto' }]);
    for (let n = 1; n <= 64; n++) {
      const proven = steps[0]!.rule.provenMax(n);
      const f = byzantineCount(steps[0]!, n, 0);
      assert.ok(f >= 0 && f <= n / 4, `${rule}, n = ${n}, f = ${f}`);
      assert.ok(f <= Math.max(0, proven), `${rule}, n = ${n}, f = ${f}, proven ${proven}`);
      assert.ok(f + 1 > n / 4 || f + 1 > proven, `${rule}, n = ${n}: f = ${f} could be larger`);
      if (f <= proven) assert.deepEqual(rangeProblems(steps, n, 0), [], `${rule}, n = ${n}`);
    }
  }
});

test("f = 'auto' looks at the rows that are left: 20 rows give 5, and 18 of them after two were dropped give 4", () => {
  const [step] = parsePipeline([{ rule: 'trimmed-mean', f: 'auto' }]);
  assert.equal(byzantineCount(step!, 20, 0), 5);
  assert.equal(byzantineCount(step!, 18, 2), 4);
  // Bulyan's proof ends at (n − 3) / 4.
  const [bulyan] = parsePipeline([{ rule: 'bulyan', f: 'auto' }]);
  assert.equal(byzantineCount(bulyan!, 20, 0), 4);
});
