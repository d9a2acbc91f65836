import type { Evaluation } from '../core/learning/engine.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { Round } from '../core/round/round.ts';
import type { OpenFacts } from './state.ts';
import { refusedForContent } from './trust.ts';

/** Puts together what is remembered of a round when it closes. */
export function recordOf(
  round: Round,
  facts: OpenFacts,
  measured: {
    readonly test: Evaluation | null;
    readonly bytes: { readonly up: number; readonly down: number };
    readonly atMs: number;
  },
): RoundRecord {
  return {
    round: round.number,
    status: round.status === 'completed' ? 'completed' : 'aborted',
    reason: round.reason ?? null,
    participants: round.participants,
    accepted: [...facts.accepted].sort(),
    refused: facts.refused,
    ...(facts.declined.length === 0 ? {} : { declined: facts.declined }),
    modelVersion: facts.published?.version ?? null,
    modelHash: facts.published?.hash ?? null,
    accuracy: measured.test?.accuracy ?? null,
    loss: measured.test?.loss ?? null,
    clients: facts.clients,
    withQkd: facts.withQkd.length,
    verdicts: facts.verdicts,
    flagged: flaggedIn(facts),
    ...(facts.privacy?.released === undefined ? {} : { privacy: facts.privacy.released }),
    bytesUp: measured.bytes.up,
    bytesDown: measured.bytes.down,
    seconds: (measured.atMs - facts.startedAtMs) / 1000,
  };
}

/** Those that the detector flagged, and those whose contribution was refused for what was in it. */
function flaggedIn(facts: OpenFacts): readonly string[] {
  const verdicts = facts.verdicts.filter((verdict) => verdict.isFlagged).map((verdict) => verdict.clientId);
  return [...new Set([...verdicts, ...refusedForContent(facts)])].sort();
}
