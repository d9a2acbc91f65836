/** What a phase gathers from clients. */
export type PhaseKind = 'update' | 'metrics';

/** One phase of a round, as data: secure aggregation or asynchronous buffering add phases, not a second machine. */
export type PhasePlan = {
  readonly id: string;
  readonly collects: PhaseKind;
  /** The phase fails with fewer accepted contributions than this at its deadline. */
  readonly quorum: number;
  /** The phase closes as soon as so many are accepted; the participants beyond it are over-selected. */
  readonly target: number;
  readonly deadlineMs: number;
  /** How long the phase waits for a participant who has lost the connection. */
  readonly absenceGraceMs: number;
  /** Whether a failed quorum ends the round or only this phase. */
  readonly onShortfall: 'abort' | 'skip';
};

/** Where a round stands. Frozen: a round changes only in `step`. */
export type Round = {
  readonly number: number;
  readonly phases: readonly PhasePlan[];
  readonly participants: readonly string[];
  readonly phaseIndex: number;
  readonly status: 'collecting' | 'reducing' | 'completed' | 'aborted';
  /** Client id → content hash of the accepted envelope, for the present phase. */
  readonly accepted: Readonly<Record<string, string>>;
  /** Clients whose contribution was refused, or who said that they have none, and who have sent none since. */
  readonly refused: readonly string[];
  /** Client id → monotonic time at which the connection was lost. */
  readonly absentSinceMs: Readonly<Record<string, number>>;
  readonly phaseStartedMs: number;
  readonly nowMs: number;
  readonly reason?: string;
};

/** What can happen to a round. Times are the coordinator's monotonic clock. */
export type RoundEvent =
  | { readonly kind: 'accepted'; readonly clientId: string; readonly contentHash: string }
  | { readonly kind: 'refused'; readonly clientId: string }
  | { readonly kind: 'left'; readonly clientId: string }
  | { readonly kind: 'joined'; readonly clientId: string }
  | { readonly kind: 'tick'; readonly nowMs: number }
  | { readonly kind: 'reduced' }
  | { readonly kind: 'failed'; readonly reason: string };

/** What the shell must do. Every effect is a function of the round, so a restart finds it again. */
export type RoundEffect =
  | { readonly kind: 'announce'; readonly phaseId: string; readonly participants: readonly string[] }
  | { readonly kind: 'reduce'; readonly phaseId: string; readonly contributions: readonly Contribution[] }
  | { readonly kind: 'complete' }
  | { readonly kind: 'abort'; readonly reason: string };

/** An accepted envelope of a client, in canonical order (by client id). */
export type Contribution = { readonly clientId: string; readonly contentHash: string };

/** Opens a round in its first phase. Participants are put in canonical order. */
export function openRound(
  number: number,
  phases: readonly PhasePlan[],
  participants: readonly string[],
  nowMs: number,
): Round {
  if (phases.length === 0) throw new RangeError('Cannot open a round as it must have at least one phase: it has none');
  return {
    number,
    phases,
    participants: [...participants].sort(),
    phaseIndex: 0,
    status: 'collecting',
    accepted: {},
    refused: [],
    absentSinceMs: {},
    phaseStartedMs: nowMs,
    nowMs,
  };
}

/** The phase a round is in. */
export function phaseOf(round: Round): PhasePlan {
  return round.phases[round.phaseIndex]!;
}

/** Whether a contribution of this client may still be accepted: it takes part, the phase is open, none is in. */
export function canAccept(round: Round, clientId: string): 'yes' | 'not-invited' | 'round-closed' | 'replayed' {
  if (!round.participants.includes(clientId)) return 'not-invited';
  if (round.status !== 'collecting') return 'round-closed';
  return Object.hasOwn(round.accepted, clientId) ? 'replayed' : 'yes';
}

/** What the shell has to do for a round as it stands: called after each step, and again after a restart. */
export function effectOf(round: Round): RoundEffect {
  const phaseId = phaseOf(round).id;
  switch (round.status) {
    case 'collecting':
      return { kind: 'announce', phaseId, participants: round.participants };
    case 'reducing':
      return { kind: 'reduce', phaseId, contributions: contributionsOf(round) };
    case 'completed':
      return { kind: 'complete' };
    case 'aborted':
      return { kind: 'abort', reason: round.reason ?? 'unknown' };
  }
}

/** The accepted envelopes in canonical order: the same updates give the same bits whatever their order of arrival. */
export function contributionsOf(round: Round): readonly Contribution[] {
  return Object.keys(round.accepted)
    .sort()
    .map((clientId) => ({ clientId, contentHash: round.accepted[clientId]! }));
}
