import type { Metrics } from '../intake/stages.ts';
import type { ClientEvaluation, PersonalEvaluation } from './record.ts';

/** How many times the median claim one client's examples, or its mean loss, may count. */
const claimsMax = 4;

type Report = { readonly clientId: string; readonly metrics: Metrics };

/**
 * Federated evaluation: what all hold-outs together would have given.
 *
 * Formula: accuracy = Σ s_i correct_i ÷ Σ s_i examples_i; loss = Σ s_i examples_i min(l_i, 4 l) ÷ Σ s_i examples_i with
 *          s_i = min(1, 4 m ÷ examples_i), m the lower median of the claimed counts, l_i = lossSum_i ÷ examples_i, l the
 *          upper median of the l_i; spread = the standard deviation (n − 1) of the clients' accuracies.
 * Promises: equals the evaluation of the pooled hold-outs where nobody claims more than four times the median, as sums are
 *           exchanged and not means. Nobody weighs or loses more than four times the median, and fewer than half of the
 *           clients cannot lift that above four times an honest claim; whose loss was cut is named. Null without examples.
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
  const losses = boundedLosses(used.map(({ clientId, metrics }) => ({ clientId, ...metrics })));
  return {
    reports: used.length,
    examples,
    accuracy: sum((metrics) => metrics.correctCount) / examples,
    loss: used.reduce((total, { metrics }, i) => total + countedShare(metrics, cap) * losses.sums[i]!, 0) / examples,
    ...(losses.capped.length === 0 ? {} : { lossCapped: losses.capped }),
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

type Loss = { readonly clientId: string; readonly lossSum: number; readonly examples: number };

/** The sums of losses, none above four times the median loss for its examples, and whose were. */
function boundedLosses(claims: readonly Loss[]): {
  readonly sums: readonly number[];
  readonly capped: readonly string[];
} {
  const means = claims.map(({ lossSum, examples }) => lossSum / examples).sort((a, b) => a - b);
  const most = claimsMax * means[Math.floor(means.length / 2)]!;
  return {
    sums: claims.map(({ lossSum, examples }) => Math.min(lossSum, most * examples)),
    capped: claims.flatMap(({ clientId, lossSum, examples }) => (lossSum > most * examples ? [clientId] : [])),
  };
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
    const correctCount = share * personal.correctCount;
    return [{ clientId, share, examples, correctCount, lossSum: personal.lossSum, accuracy }];
  });
  if (own.length === 0) return null;
  const { sums } = boundedLosses(own);
  const examples = own.reduce((sum, one) => sum + one.share * one.examples, 0);
  const worst = own.reduce((least, one) => (one.accuracy < least.accuracy ? one : least));
  return {
    reports: own.length,
    accuracy: own.reduce((sum, one) => sum + one.correctCount, 0) / examples,
    loss: own.reduce((sum, one, i) => sum + one.share * sums[i]!, 0) / examples,
    accuracySpread: standardDeviation(own.map(({ accuracy }) => accuracy)),
    worst: { clientId: worst.clientId, accuracy: worst.accuracy },
  };
}

function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / (values.length - 1));
}
