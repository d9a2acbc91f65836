import { countPatterns, type PatternId } from '../detection/pattern/pattern.ts';
import type { RoundRecord } from '../round/record.ts';
import type { RunRecord } from '../round/run-record.ts';
import { isNumber, runFacts } from './facts.ts';

/** One client over the whole run. Null where nothing was measured. */
export type ClientStatistics = {
  readonly clientId: string;
  readonly invited: number;
  readonly tookPart: number;
  readonly refused: number;
  /** Rounds in which the detector looked at the client, and in how many of them it flagged. */
  readonly judged: number;
  readonly flagged: number;
  readonly meanNorm: number | null;
  readonly meanCosine: number | null;
  /** On its own hold-out, in the last round in which any client reported. */
  readonly holdoutAccuracy: number | null;
  /** The most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** What its flagged updates looked like, the most frequent first. */
  readonly patterns: readonly { readonly label: PatternId; readonly count: number }[];
};

/** Reasons that differ in their numbers only are one; `example` is the latest of them. */
type ReasonCount = { readonly example: string; readonly count: number };

export function clientStatistics(run: RunRecord): ClientStatistics[] {
  const { evaluation } = runFacts(run);
  return run.clientIds.map((clientId) => {
    const verdicts = run.rounds.flatMap((record) => record.verdicts.filter((verdict) => verdict.clientId === clientId));
    const holdout = evaluation?.clients.byClient;
    return {
      clientId,
      invited: countRounds(run, ({ participants }) => participants.includes(clientId)),
      tookPart: countRounds(run, ({ accepted }) => accepted.includes(clientId)),
      refused: countRounds(run, ({ refused }) => refused.some((refusal) => refusal.clientId === clientId)),
      judged: verdicts.length,
      flagged: countRounds(
        run,
        (record) =>
          record.flagged.includes(clientId) ||
          record.verdicts.some((verdict) => verdict.clientId === clientId && verdict.isFlagged),
      ),
      meanNorm: mean(verdicts.map(({ norm }) => norm)),
      meanCosine: mean(verdicts.map(({ cosine }) => cosine)),
      holdoutAccuracy: holdout !== undefined && Object.hasOwn(holdout, clientId) ? holdout[clientId]!.accuracy : null,
      reasons: countReasons(verdicts.flatMap(({ reasons }) => reasons)),
      patterns: countPatterns(verdicts),
    };
  });
}

function countReasons(reasons: readonly string[]): ReasonCount[] {
  const kinds = new Map<string, ReasonCount>();
  for (const example of reasons) {
    const kind = example.replace(/[-−]?\d+(\.\d+)?(e[-+]?\d+)?/g, '#');
    kinds.set(kind, { example, count: (kinds.get(kind)?.count ?? 0) + 1 });
  }
  return [...kinds.values()].sort((a, b) => b.count - a.count);
}

function countRounds(run: RunRecord, holds: (record: RoundRecord) => boolean): number {
  return run.rounds.filter(holds).length;
}

function mean(values: readonly number[]): number | null {
  const finite = values.filter(isNumber);
  return finite.length === 0 ? null : finite.reduce((sum, value) => sum + value, 0) / finite.length;
}
