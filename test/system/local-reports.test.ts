// Local privacy on the wire, by mechanism: what leaves a site is a report that any other site might have sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { localLedgerLines } from '../../src/cli/view/local-ledger.ts';
import { createLocalPrivacy } from '../../src/client/local-privacy.ts';
import { runRecordOf } from '../../src/coordinator/run-record.ts';
import { statusOf } from '../../src/coordinator/status.ts';
import { questionsIn } from '../../src/core/plan/histograms.ts';
import { unitUpdatesOf } from '../../src/core/plan/local-privacy.ts';
import type { LocalPrivacy } from '../../src/core/plan/privacy.ts';
import { unitUpdateNorm } from '../../src/core/privacy/local/priv-unit-update.ts';
import { addReport, counterCount } from '../../src/core/privacy/local/histogram.ts';
import { privacySection } from '../../src/core/report/privacy-section.ts';
import { toText } from '../../src/core/report/markup.ts';
import type { Identity } from '../../src/ports/identity.ts';
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

test('histograms on the wire, by every mechanism: one possible report for each question, kept before it is sent, the same in every round', async () => {
  const mechanisms = ['k-rr', 'rappor', 'oue', 'hadamard'] as const;
  const histograms = mechanisms.map((mechanism) => ({ name: mechanism, epsilon: 0.5, mechanism }));
  const plan = smallPlan({
    ...alone,
    privacy: { mode: 'local', epsilon: 8, delta: 1e-5, clipNorm: 0.5, histograms },
  });
  const questions = questionsIn(plan, 1);
  const trainer: Trainer = { ...clean, categoriesOf: (what) => (what === 'label' ? [2, 2, 2, 2] : undefined) };
  await runLocalSite(plan, { trainer }, async (world, { payloads, sent, kept, said }) => {
    assert.deepEqual(said, []);
    const [first, second] = await Promise.all(payloads.map((payload) => readUpdate(payload, plan, questions)));
    assert.deepEqual(first!.reports, second!.reports, 'the stored reports, and no new draw');
    assert.equal(sent.length, 4, 'the line was cut once in each round');
    assert.equal(new Set(sent.map((bytes) => crypto.sha256(bytes).toHex())).size, 2);
    // Kept with the count before anything is sealed: a restart finds them.
    const { released, reports: stored } = kept.at(-1)!.local!;
    assert.equal(released, 2);
    const { run } = world.coordinator.snapshot();
    const status = statusOf(world.coordinator, world.parts).privacy.histograms;
    for (const [i, question] of questions.entries()) {
      const key = `${mechanisms[i]}/1`;
      const report = first!.reports[key]!;
      const counts = Array.from({ length: counterCount(question) }, () => 0);
      assert.equal(addReport(counts, report, question), null, key);
      assert.equal(stored![key], report.toBase64());
      assert.deepEqual(run.histograms[key], { clients: ['client-01'], counts });
      assert.deepEqual([status[i]!.mechanism, status[i]!.reports], [mechanisms[i], 1]);
    }
    const record = runRecordOf(world.coordinator.snapshot(), world.parts, 1);
    const local = record.privacy!.local!;
    assert.deepEqual([local.clients[0]!.updates, local.clients[0]!.reports], [2, 4]);
    // Two Gaussian updates at ε = 6, and four reports at ½: all of the plan's 8, up to the solver.
    const spent = local.clients[0]!.epsilon!;
    assert.ok(spent <= 8 && spent > 7.98, `${spent}`);
    assert.match(
      localLedgerLines(record.privacy!, local).join('\n'),
      /client-01 +2 of 2 +4 +\d\.\d{4} +8\n\nk-rr: label from round 1 on/,
    );
    assert.match(toText(privacySection(record)!), /“rappor”: label, asked from round 1 on/);
  });
});

test('a restarted site sends the report that it has kept, and one that does not know its categories sends nothing', async () => {
  const histograms = [{ name: 'labels', epsilon: 2, rounds: [1, 2] }];
  const plan = smallPlan({ ...alone, privacy: { mode: 'local', epsilon: 8, delta: 1e-5, histograms } });
  const trainer: Trainer = { ...clean, categoriesOf: () => [0, 1, 2] };
  const kept: NonNullable<Identity['local']>[] = [];
  const site = (answers?: Readonly<Record<string, string>>) =>
    createLocalPrivacy({
      plan,
      released: 0,
      answers,
      entropy: createNodeEntropy(),
      save: async (next) => void kept.push(next),
    })!;
  const first = await site().reports(1, trainer);
  assert.deepEqual(kept, [{ released: 0, reports: first }]);
  const later = site(kept[0]!.reports);
  for (let again = 0; again < 20; again++) assert.deepEqual(await later.reports(1, trainer), first);
  assert.equal(kept.length, 1, 'nothing new was drawn');
  // Asked anew in round 2: another answer beside the first.
  const second = await later.reports(2, trainer);
  assert.deepEqual(Object.keys(second!), ['labels/2']);
  assert.deepEqual(kept.at(-1)!.reports, { ...first, ...second });
  await assert.rejects(site().reports(1, clean), /the trainer must know the label of each example/);
});
