import type { Metrics } from '../intake/stages.ts';
import type { ClientEvaluation, PersonalEvaluation } from './record.ts';

type Report = { readonly clientId: string; readonly metrics: Metrics };

/**
 * Federated evaluation: what all hold-outs together would have given.
 *
 * Formula: accuracy = Σ correct_i ÷ Σ examples_i; loss = Σ lossSum_i ÷ Σ examples_i; spread = the standard deviation
 *          (n − 1) of the clients' accuracies.
 * Promises: equals the evaluation of the pooled hold-outs, as sums are exchanged and not means. Null without examples.
 */
export function combineMetrics(reports: readonly Report[]): ClientEvaluation | null {
  const used = reports.filter(({ metrics }) => metrics.examples > 0);
  if (used.length === 0) return null;
  const sum = (pick: (metrics: Metrics) => number) => used.reduce((total, { metrics }) => total + pick(metrics), 0);
  const examples = sum((metrics) => metrics.examples);
  const byClient = Object.fromEntries(
    used.map(({ clientId, metrics }) => [
      clientId,
      {
        accuracy: metrics.correctCount / metrics.examples,
        loss: metrics.lossSum / metrics.examples,
        examples: metrics.examples,
      },
    ]),
  );
  const accuracies = Object.entries(byClient).map(([clientId, { accuracy }]) => ({ clientId, accuracy }));
  const personal = personalEvaluation(used);
  return {
    reports: used.length,
    examples,
    accuracy: sum((metrics) => metrics.correctCount) / examples,
    loss: sum((metrics) => metrics.lossSum) / examples,
    accuracySpread: standardDeviation(accuracies.map(({ accuracy }) => accuracy)),
    worst: accuracies.reduce((worst, one) => (one.accuracy < worst.accuracy ? one : worst)),
    byClient,
    ...(personal === null ? {} : { personal }),
  };
}

/** The same of the sites' personal models, over the sites that have one. */
function personalEvaluation(reports: readonly Report[]): PersonalEvaluation | null {
  const own = reports.flatMap(({ clientId, metrics: { examples, personal } }) =>
    personal === undefined ? [] : [{ clientId, examples, ...personal, accuracy: personal.correctCount / examples }],
  );
  if (own.length === 0) return null;
  const examples = own.reduce((sum, one) => sum + one.examples, 0);
  const worst = own.reduce((least, one) => (one.accuracy < least.accuracy ? one : least));
  return {
    reports: own.length,
    accuracy: own.reduce((sum, one) => sum + one.correctCount, 0) / examples,
    loss: own.reduce((sum, one) => sum + one.lossSum, 0) / examples,
    accuracySpread: standardDeviation(own.map(({ accuracy }) => accuracy)),
    worst: { clientId: worst.clientId, accuracy: worst.accuracy },
  };
}

function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1));
}
