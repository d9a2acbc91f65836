import { allQuestions, type Question, questionKey, questionsIn } from '../plan/histograms.ts';
import { addReport, counterCount, estimateFrequencies, type OracleId } from '../privacy/local/histogram.ts';

/** What has come for one question: whose report counts, and the sums of the reports. */
export type HistogramCounts = { readonly clients: readonly string[]; readonly counts: readonly number[] };

/** What a round adds, by the key of the question: the journal's entry. */
export type RoundReports = readonly (HistogramCounts & { readonly key: string })[];

type Asking = Parameters<typeof questionsIn>[0];

/**
 * The reports of a round that count: the first of each client for each question. Later ones are the same bytes from an
 * honest site, and nothing from another.
 */
export function newReports(
  plan: Asking,
  round: number,
  known: Readonly<Record<string, HistogramCounts>>,
  sent: {
    readonly clientIds: readonly string[];
    readonly updates: readonly { readonly reports: Readonly<Record<string, Uint8Array>> }[];
  },
): RoundReports {
  return questionsIn(plan, round).flatMap((question) => {
    const key = questionKey(question);
    const before = new Set(known[key]?.clients);
    const counts = Array.from({ length: counterCount(question) }, () => 0);
    const clients = sent.clientIds.filter((clientId, i) => {
      const report = sent.updates[i]?.reports[key];
      return !before.has(clientId) && report !== undefined && addReport(counts, report, question) === null;
    });
    return clients.length === 0 ? [] : [{ key, clients, counts }];
  });
}

/** The counts after a round. */
export function countedReports(
  known: Readonly<Record<string, HistogramCounts>>,
  reports: RoundReports,
): Readonly<Record<string, HistogramCounts>> {
  const after = { ...known };
  for (const { key, clients, counts } of reports) {
    const before = after[key];
    after[key] = {
      clients: [...(before?.clients ?? []), ...clients].sort(),
      counts: counts.map((count, i) => count + (before?.counts[i] ?? 0)),
    };
  }
  return after;
}

/** A histogram as people read it. */
export type HistogramFigures = {
  readonly name: string;
  readonly of: string;
  /** The round from which on it was asked for. */
  readonly from: number;
  readonly mechanism: OracleId;
  readonly epsilon: number;
  readonly reports: number;
  /** By how much one lying report can move one frequency; null without reports. */
  readonly reach: number | null;
  /** Unbiased, so below 0 or above 1 at times, with the standard error that the noise of the reports gives; empty without reports. */
  readonly values: readonly { readonly value: string; readonly frequency: number; readonly standardError: number }[];
};

/** What the reports say so far, for every question of the plan. */
export function histogramFigures(
  plan: Asking,
  known: Readonly<Record<string, HistogramCounts>>,
): readonly HistogramFigures[] {
  return allQuestions(plan).map((question) => figuresOf(question, known[questionKey(question)]));
}

function figuresOf(question: Question, counted: HistogramCounts | undefined): HistogramFigures {
  const { name, of, from, mechanism, epsilon, values } = question;
  const reports = counted?.clients.length ?? 0;
  const place = { name, of, from, mechanism, epsilon, reports };
  if (counted === undefined || reports === 0) return { ...place, reach: null, values: [] };
  const { frequencies, standardErrors, reach } = estimateFrequencies(counted.counts, reports, question);
  return {
    ...place,
    reach,
    values: values.map((value, i) => ({ value, frequency: frequencies[i]!, standardError: standardErrors[i]! })),
  };
}
