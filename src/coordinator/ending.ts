import type { Plan } from '../core/plan/plan.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { Draft } from './journal.ts';
import { hasEnded, roundEventData, roundsOf, type RunState } from './state.ts';

/** What ends a run once this round has been closed: enough of them completed, or too many in a row failed. */
export function endingAfter(run: RunState, closing: RoundRecord, plan: Plan): readonly Draft[] {
  const { rounds } = plan;
  const records = [...run.records, closing];
  const completed = records.filter((record) => record.status === 'completed').length;
  if (completed >= roundsOf(run, plan)) return [{ kind: 'run.completed', data: { rounds: completed } }];
  const last = records.slice(-rounds.attempts);
  if (last.length < rounds.attempts || last.some((record) => record.status === 'completed')) return [];
  return [{ kind: 'run.failed', data: { reason: `${last.length} rounds in a row failed: ${last.at(-1)?.reason}` } }];
}

/** What ends a run that the operator stops: its open round first. Nothing, when it has ended already. */
export function stopping(run: RunState, reason: string, nowMs: number): readonly Draft[] {
  if (hasEnded(run)) return [];
  const stopped: Draft = { kind: 'run.stopped', data: { reason } };
  if (run.round === null) return [stopped];
  const data = roundEventData({ kind: 'failed', reason }, nowMs);
  return [{ kind: 'round.event', round: run.round.number, data }, stopped];
}
