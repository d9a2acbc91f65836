import type { Metrics } from '../intake/stages.ts';
import type { ClientEvaluation, PersonalEvaluation } from './record.ts';

/** How many times the median claim of examples one client may weigh. */
const claimsMax = 4;

type Report = { readonly clientId: string; readonly metrics: Metrics };

/**
 * Federated evaluation: what all hold-outs together would have given.
 *
 * Formula: accuracy = Σ s_i correct_i ÷ Σ s_i examples_i; loss = Σ s_i lossSum_i ÷ Σ s_i examples_i with
 *          s_i = min(1, 4 m ÷ examples_i), m the lower median of the claimed counts; spread = the standard deviation
 *          (n − 1) of the clients' accuracies.
 * Promises: equals the evaluation of the pooled hold-outs where nobody claims more than four times the median, as sums are
 *           exchanged and not means. Nobody weighs more than four times the median, and fewer than half of the clients
 *           cannot lift that above an honest claim. A loss itself is not bounded. Null without examples.
 */
export function combineMetrics(reports: readonly Report[]): ClientEvaluation | null {
  const used = reports.filter(({ metrics }) => metrics.examples > 0);
  if (used.length === 0) return null;
  const cap = weightCap(used);
  const sum = (pick: (metrics: Metrics) => number) =>
    used.reduce((total, { metrics }) => total + countedShare(metrics, cap) * pick(metrics), 0);
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
  const personal = personalEvaluation(used, cap);
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

/** What a claim of examples counts at most: four times the lower median of all claims. */
function weightCap(reports: readonly Report[]): number {
  const claims = reports.map(({ metrics }) => metrics.examples).sort((a, b) => a - b);
  return claimsMax * claims[Math.floor((claims.length - 1) / 2)]!;
}

function countedShare({ examples }: Pick<Metrics, 'examples'>, cap: number): number {
  return Math.min(1, cap / examples);
}

/** The same of the sites' personal models, over the sites that have one. */
function personalEvaluation(reports: readonly Report[], cap: number): PersonalEvaluation | null {
  const own = reports.flatMap(({ clientId, metrics: { examples, personal } }) => {
    if (personal === undefined) return [];
    const share = countedShare({ examples }, cap);
    const accuracy = personal.correctCount / examples;
    const [correctCount, lossSum] = [share * personal.correctCount, share * personal.lossSum];
    return [{ clientId, examples: share * examples, correctCount, lossSum, accuracy }];
  });
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
