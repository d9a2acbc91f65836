import type { RoundRecord } from './record.ts';
import type { RunRecord } from './run-record.ts';

/**
 * A run's record as it may leave the operator's hands: under central privacy without what tells who took part in a round
 * (participants, refusals, verdicts, traffic), as ε is stated for readers who do not see the coins.
 */
export function publicRecord(record: RunRecord): RunRecord {
  if (record.privacy?.central === null || record.privacy === undefined) return record;
  const rounds = record.rounds.map((round) => ({
    ...withoutDeclined(round),
    participants: [],
    accepted: [],
    refused: [],
    clients: null,
    verdicts: [],
    flagged: [],
    withQkd: 0,
    bytesUp: 0,
    bytesDown: 0,
  }));
  return { ...record, rounds, flagged: [], bytesUp: 0, bytesDown: 0, isWithheld: true };
}

function withoutDeclined(round: RoundRecord): RoundRecord {
  const { declined: _, ...rest } = round;
  return rest;
}
