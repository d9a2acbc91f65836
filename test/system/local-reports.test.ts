// Local privacy on the wire, by mechanism: what leaves a site is a report that any other site might have sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitUpdatesOf } from '../../src/core/plan/local-privacy.ts';
import type { LocalPrivacy } from '../../src/core/plan/privacy.ts';
import { unitUpdateNorm } from '../../src/core/privacy/local/priv-unit-update.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { readUpdate, runLocalSite } from './local-site.ts';
import { crypto, fakeTrainer, smallPlan } from './world.ts';

/** A secret that would be seen at once: an update of 100 in one coordinate. */
const clean: Trainer = {
  ...fakeTrainer,
  train: async ({ parameters }) => ({ parameters: parameters.map((v, i) => v + (i === 3 ? 100 : 0)), examples: 777 }),
};
const alone = { rounds: { count: 2 }, cohort: { expected: 1, quorum: 1 } };

test('PrivUnit on the wire: every report has the one norm that all reports have, says no count, and is sent again as it was', async () => {
  const plan = smallPlan({
    ...alone,
    privacy: { mode: 'local', epsilon: 8, delta: 1e-5, clipNorm: 0.5, mechanism: 'priv-unit' },
  });
  const norm = unitUpdateNorm(unitUpdatesOf(plan, plan.privacy as LocalPrivacy), 0.5);
  await runLocalSite(plan, { trainer: clean }, async (world, { payloads, sent, kept, said }) => {
    assert.equal(payloads.length, 2, 'two rounds, one report each, and no evaluation');
    const reports: Float32Array[] = [];
    for (const payload of payloads) {
      const { delta, claimedExamples } = await readUpdate(payload, plan);
      assert.equal(claimedExamples, 1);
      const report = delta as Float32Array;
      // Float16 keeps three digits.
      assert.ok(Math.abs(Math.hypot(...report) / norm - 1) < 1e-3, `${Math.hypot(...report)} of ${norm}`);
      assert.ok(report.filter((value) => value !== 0).length > 5, 'no clean value: the update had one entry');
      reports.push(report);
    }
    assert.notDeepEqual(reports[0], reports[1], 'each round draws for itself');
    // The line was cut once in each round: the same bytes came again, and nothing new was sealed.
    assert.equal(sent.length, 4);
    assert.equal(new Set(sent.map((bytes) => crypto.sha256(bytes).toHex())).size, 2);
    assert.deepEqual(
      kept.map(({ local }) => local?.released),
      [1, 2],
      'counted before it is drawn',
    );
    assert.deepEqual(said, []);
    assert.equal(world.coordinator.snapshot().run.status, 'completed');
  });
});
