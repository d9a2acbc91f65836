import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDataset, type Dataset, subset } from '../data/dataset.ts';
import { checkMetrics } from '../intake/expand.ts';
import type { Metrics } from '../intake/stages.ts';
import { referenceEngine } from '../learning/reference/engine.ts';
import { initialParameters, type ModelSpec } from '../learning/model-spec.ts';
import { createRng } from '../random/rng.ts';
import { combineMetrics } from './evaluation.ts';

/** Metrics as they arrive: through the stage that checks them. */
function metrics(examples: number, lossSum: number, correctCount: number): Metrics {
  const outcome = checkMetrics({ examples, lossSum, correctCount });
  assert.ok(outcome.ok);
  return outcome.value;
}

test('combineMetrics() of two sites: sums are divided, spread and worst are of the sites', () => {
  const combined = combineMetrics([
    { clientId: 'a', metrics: metrics(10, 5, 9) },
    { clientId: 'b', metrics: metrics(30, 45, 15) },
  ]);
  assert.deepEqual(combined, {
    reports: 2,
    examples: 40,
    accuracy: 24 / 40,
    loss: 50 / 40,
    // Accuracies .9 and .5: mean .7, deviations ±.2, variance (0.04 + 0.04) ÷ 1.
    accuracySpread: Math.sqrt((0.9 - 0.7) ** 2 + (0.5 - 0.7) ** 2),
    worst: { clientId: 'b', accuracy: 0.5 },
    byClient: { a: { accuracy: 0.9, loss: 0.5, examples: 10 }, b: { accuracy: 0.5, loss: 1.5, examples: 30 } },
  });
});

test('combineMetrics() leaves out sites without examples and is null when none has any', () => {
  assert.equal(combineMetrics([]), null);
  assert.equal(combineMetrics([{ clientId: 'a', metrics: metrics(0, 0, 0) }]), null);
  const combined = combineMetrics([
    { clientId: 'a', metrics: metrics(0, 0, 0) },
    { clientId: 'b', metrics: metrics(4, 2, 1) },
  ]);
  assert.equal(combined?.reports, 1);
  assert.equal(combined?.accuracySpread, 0);
  assert.deepEqual(Object.keys(combined?.byClient ?? {}), ['b']);
});

test('federated evaluation equals the evaluation of the pooled data, for sites of up to four times the median', async () => {
  const rng = createRng(31);
  const spec: ModelSpec = { kind: 'mlp', layers: [6, 5, 3] };
  const parameters = initialParameters(spec, rng.child('model'));
  const n = 300;
  const pooled: Dataset = createDataset({
    features: Float32Array.from({ length: 6 * n }, () => rng.gaussian()),
    scale: 1,
    labels: Int32Array.from({ length: n }, () => rng.below(3)),
    sampleShape: [6],
    classCount: 3,
  });
  const cuts = [0, 30, 70, 71, 130, 210, n];
  const reports = await Promise.all(
    cuts.slice(1).map(async (end, i) => {
      const indexes = Array.from({ length: end - cuts[i]! }, (_, j) => cuts[i]! + j);
      const { examples, lossSum, correctCount } = await referenceEngine.evaluate({
        spec,
        parameters,
        data: subset(pooled, indexes),
      });
      return { clientId: `site-${i}`, metrics: metrics(examples, lossSum, correctCount) };
    }),
  );
  const whole = await referenceEngine.evaluate({ spec, parameters, data: pooled });
  const combined = combineMetrics(reports)!;
  assert.equal(combined.examples, n);
  assert.equal(combined.accuracy, whole.accuracy);
  assert.ok(Math.abs(combined.loss - whole.loss) < 1e-12 * whole.loss, `${combined.loss} ${whole.loss}`);
});

test('a client that claims a thousand million examples does not own the mean', () => {
  const honest = ['a', 'b', 'c', 'd'].map((clientId) => ({ clientId, metrics: metrics(100, 50, 90) }));
  const liar = { clientId: 'liar', metrics: metrics(1e9, 0, 0) };
  const { accuracy, loss, examples } = combineMetrics([...honest, liar])!;
  // The liar counts as 400 examples of 800: (4 · 90 + 0) ÷ 800.
  assert.deepEqual([examples, accuracy, loss], [800, 0.45, 0.25]);
  const personal = { correctCount: 0, lossSum: 0 };
  const own = [...honest, liar].map(({ clientId, metrics: one }) => ({
    clientId,
    metrics: { ...one, personal: clientId === 'liar' ? personal : { correctCount: 80, lossSum: 40 } },
  }));
  assert.equal(combineMetrics(own)!.personal!.accuracy, 0.4);
});

test('a client that claims a loss beyond all measure counts as four times the median, and is named', () => {
  const honest = ['a', 'b', 'c', 'd'].map((clientId, i) => ({ clientId, metrics: metrics(100, 50 + i, 90) }));
  const liar = { clientId: 'liar', metrics: metrics(100, 1e20, 90) };
  const { loss, lossCapped, byClient } = combineMetrics([...honest, liar])!;
  // The median of 0.50, 0.51, 0.52, 0.53 and the liar's is 0.52: (206 + 4 · 52) ÷ 500.
  assert.ok(Math.abs(loss - (206 + 208) / 500) < 1e-12, `${loss}`);
  assert.deepEqual(lossCapped, ['liar']);
  assert.equal(byClient['liar']!.loss, 1e18, 'what it claimed is kept for the operator');
  const own = [...honest, liar].map(({ clientId, metrics: one }) => ({
    clientId,
    metrics: { ...one, personal: { correctCount: 90, lossSum: clientId === 'liar' ? 1e20 : 40 } },
  }));
  assert.ok(Math.abs(combineMetrics(own)!.personal!.loss - (160 + 160) / 500) < 1e-12);
  assert.equal(combineMetrics(honest)!.lossCapped, undefined);
});
