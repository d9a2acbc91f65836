import { patternName } from '../detection/pattern/pattern.ts';
import type { ClientVerdict, RoundRecord } from '../round/record.ts';
import { formatNumber } from './format.ts';

/** What became of one client in one round, with the sentence that explains it. */
export type Presence = { readonly state: PresenceState; readonly detail: string };

/** `unjudged`: accepted, but the round ended before the detector looked. `idle`: not a participant. */
export type PresenceState = 'ok' | 'flag' | 'refused' | 'absent' | 'unjudged' | 'idle';

/**
 * Reads what became of a client. A contribution that was accepted counts, also when an earlier one of the same client
 * was refused.
 */
export function presenceOf(record: RoundRecord, clientId: string): Presence {
  const verdict = record.verdicts.find((verdict) => verdict.clientId === clientId);
  if (verdict !== undefined) {
    const isFlagged = verdict.isFlagged || record.flagged.includes(clientId);
    const seen = `norm ${formatNumber(verdict.norm)}, cosine ${formatNumber(verdict.cosine)}, score ${formatNumber(verdict.score)}`;
    if (!isFlagged) return { state: 'ok', detail: `nothing unusual (${seen})` };
    const reasons = verdict.reasons.length === 0 ? 'no reason given' : verdict.reasons.join('; ');
    return { state: 'flag', detail: `flagged: ${reasons}${looksLike(verdict)} (${seen})` };
  }
  if (record.flagged.includes(clientId)) return { state: 'flag', detail: 'flagged: no reason given' };
  if (record.accepted.includes(clientId)) {
    return { state: 'unjudged', detail: 'accepted, but the round ended before the detector looked' };
  }
  const codes = record.refused.filter((refusal) => refusal.clientId === clientId).map(({ code }) => code);
  if (codes.length > 0) return { state: 'refused', detail: `refused: ${[...new Set(codes)].join(', ')}` };
  if (record.declined?.includes(clientId)) return { state: 'absent', detail: 'said that it could not contribute' };
  if (record.participants.includes(clientId)) return { state: 'absent', detail: 'invited, nothing arrived' };
  return { state: 'idle', detail: 'not invited to this round' };
}

function looksLike({ pattern }: ClientVerdict): string {
  return pattern === undefined ? '' : `; looks like ${patternName(pattern.label)}: ${pattern.evidence.join('; ')}`;
}
