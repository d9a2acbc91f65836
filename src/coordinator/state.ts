import { emptyMemory, type Inspection, type Memory, remember } from '../core/detection/memory.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import type { ClientEvaluation, ClientVerdict, RoundRecord } from '../core/round/record.ts';
import { openRound, type PhasePlan, type Round, type RoundEvent } from '../core/round/round.ts';
import { step } from '../core/round/step.ts';
import type { JournalEntry } from '../ports/store.ts';

/** What has been learned about the open round so far. */
export type OpenFacts = {
  readonly baseModel: string;
  readonly startedAtMs: number;
  readonly published?: { readonly version: number; readonly hash: string; readonly parentHash: string };
  readonly verdicts: readonly ClientVerdict[];
  readonly clients: ClientEvaluation | null;
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly clientId: string; readonly code: string }[];
};

/** A run as its journal tells it. */
export type RunState = {
  /** The hash of the plan that the run was created with; null before that. */
  readonly planHash: string | null;
  readonly status: 'waiting' | 'running' | 'completed' | 'stopped';
  readonly reason: string | null;
  readonly round: Round | null;
  readonly facts: OpenFacts | null;
  readonly records: readonly RoundRecord[];
  readonly tls: { readonly group: string; readonly protocol: string; readonly cipher: string } | null;
  readonly seconds: number;
  /** What detection remembers of the clients. */
  readonly detection: Memory;
};

export const initialState: RunState = {
  planHash: null,
  status: 'waiting',
  reason: null,
  round: null,
  facts: null,
  records: [],
  tls: null,
  seconds: 0,
  detection: emptyMemory,
};

/** Whether a run is over, for whatever reason. */
export function hasEnded({ status }: RunState): boolean {
  return status === 'completed' || status === 'stopped';
}

/**
 * Applies one journal entry. Used for what happens now and for what is read back after a restart, so that both give
 * the same state.
 */
export function evolve(state: RunState, entry: JournalEntry): RunState {
  const data = entry.data;
  switch (entry.kind) {
    case 'run.created':
      return { ...state, planHash: data['planHash'] as string };
    case 'client.connected':
      return data['tls'] === undefined ? state : { ...state, tls: data['tls'] as unknown as RunState['tls'] };
    case 'round.opened':
      return {
        ...state,
        status: 'running',
        round: openRound(
          entry.round!,
          data['phases'] as unknown as readonly PhasePlan[],
          data['participants'] as readonly string[],
          data['nowMs'] as number,
        ),
        facts: {
          baseModel: data['baseModel'] as string,
          startedAtMs: entry.atMs,
          verdicts: [],
          clients: null,
          accepted: [],
          refused: [],
        },
      };
    case 'round.event':
      return applyRoundEvent(state, data as unknown as { event: RoundEvent; nowMs: number });
    case 'update.refused':
      return withFacts(state, (facts) => ({
        refused: [...facts.refused, { clientId: data['clientId'] as string, code: data['code'] as string }],
      }));
    case 'model.published':
      return withFacts(state, () => ({
        published: data as unknown as NonNullable<OpenFacts['published']>,
      }));
    case 'round.verdicts':
      return withFacts(
        { ...state, detection: remember(state.detection, data['inspection'] as unknown as Inspection) },
        () => ({ verdicts: data['verdicts'] as unknown as readonly ClientVerdict[] }),
      );
    case 'round.evaluated':
      return withFacts(state, () => ({ clients: data as unknown as ClientEvaluation }));
    case 'round.closed':
      return {
        ...state,
        round: null,
        facts: null,
        records: [...state.records, data as unknown as RoundRecord],
        seconds: state.seconds + (data['seconds'] as number),
      };
    case 'run.completed':
      return { ...state, status: 'completed' };
    case 'run.stopped':
      return { ...state, status: 'stopped', reason: data['reason'] as string };
    default:
      return state;
  }
}

/** The event and the time at which it was taken, as one journal entry. */
export function roundEventData(event: RoundEvent, nowMs: number): { readonly [key: string]: Json } {
  return { event: event as unknown as Json, nowMs };
}

/** Applies an event to a round at a time: first the clock, then the event. */
export function advance(round: Round, event: RoundEvent, nowMs: number): ReturnType<typeof step> {
  const ticked = step(round, { kind: 'tick', nowMs });
  if (event.kind === 'tick') return ticked;
  const after = step(ticked.round, event);
  return { round: after.round, effects: [...ticked.effects, ...after.effects] };
}

function applyRoundEvent(state: RunState, { event, nowMs }: { event: RoundEvent; nowMs: number }): RunState {
  if (state.round === null) return state;
  const before = state.round;
  const { round } = advance(before, event, nowMs);
  const next = { ...state, round };
  const isUpdate = event.kind === 'accepted' && before.phases[before.phaseIndex]?.collects === 'update';
  return isUpdate ? withFacts(next, (facts) => ({ accepted: [...facts.accepted, event.clientId] })) : next;
}

function withFacts(state: RunState, change: (facts: OpenFacts) => Partial<OpenFacts>): RunState {
  return state.facts === null ? state : { ...state, facts: { ...state.facts, ...change(state.facts) } };
}
