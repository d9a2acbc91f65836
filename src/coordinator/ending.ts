import type { Plan } from '../core/plan/plan.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { Draft } from './journal.ts';

/** What ends a run once these rounds have been closed: enough of them completed, or too many in a row failed. */
export function endingAfter(records: readonly RoundRecord[], { rounds }: Plan): readonly Draft[] {
  const completed = records.filter((record) => record.status === 'completed').length;
  if (completed >= rounds.count) return [{ kind: 'run.completed', data: { rounds: completed } }];
  const last = records.slice(-rounds.attempts);
  if (last.length < rounds.attempts || last.some((record) => record.status === 'completed')) return [];
  return [{ kind: 'run.failed', data: { reason: `${last.length} rounds in a row failed: ${last.at(-1)?.reason}` } }];
}
