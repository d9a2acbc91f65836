import { type Question, questionKey } from '../plan/histograms.ts';
import { addReport, counterCount } from '../privacy/local/histogram.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';

/** The answers that came beside an update, by the key of the question. */
export type Reports = Readonly<Record<string, Uint8Array>>;

/** Checks that an update answers every question that its round asks, each with a possible report, and nothing else. */
export function checkReports(
  said: Readonly<Record<string, string>> | undefined,
  questions: readonly Question[],
): Outcome<Reports> {
  const given = Object.keys(said ?? {});
  if (given.length !== questions.length) {
    return rejected('bad-payload', `${given.length} reports where ${questions.length} are asked for`);
  }
  const reports: Record<string, Uint8Array> = {};
  for (const question of questions) {
    const key = questionKey(question);
    const text = said?.[key];
    const bytes = text === undefined ? undefined : bytesOf(text);
    if (bytes === undefined) return rejected('bad-payload', `no report for ${key}`);
    const problem = addReport(
      Array.from({ length: counterCount(question) }, () => 0),
      bytes,
      question,
    );
    if (problem !== null) return rejected('bad-payload', `the report for ${key}: ${problem}`);
    reports[key] = bytes;
  }
  return accepted(reports);
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
