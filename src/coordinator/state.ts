import { emptyMemory, type Inspection, type Memory, remember, rememberRefusals } from '../core/detection/memory.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Course } from '../core/privacy/ledger/course.ts';
import type { LedgerSeal } from '../core/privacy/ledger/heads.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import type { ClientEvaluation, ClientVerdict, PrivacyFigures, RoundRecord } from '../core/round/record.ts';
import { openRound, type PhasePlan, type Round, type RoundEvent } from '../core/round/round.ts';
import { step } from '../core/round/step.ts';
import type { JournalEntry } from '../ports/store.ts';
import { type FtrlState, withDrawn, withLeaf } from './privacy/ftrl-state.ts';
import { refusedForContent } from './trust.ts';
import { countedReports, type HistogramCounts, type RoundReports } from '../core/round/histograms.ts';

/** What has been learned about the open round so far. */
export type OpenFacts = {
  readonly baseModel: string;
  readonly startedAtMs: number;
  readonly published?: { readonly version: number; readonly hash: string; readonly parentHash: string };
  readonly verdicts: readonly ClientVerdict[];
  readonly clients: ClientEvaluation | null;
  readonly accepted: readonly string[];
  /** Devices of which something came under a QKD key. */
  readonly withQkd: readonly string[];
  readonly refused: readonly { readonly clientId: string; readonly code: string }[];
  /** Clients that said that they cannot contribute an update. */
  readonly declined: readonly string[];
  readonly privacy?: RoundPrivacy;
};

/** What was settled when a round under central privacy opened, and what it released. */
type RoundPrivacy = {
  readonly noiseMultiplier: number;
  readonly sampleRate: number;
  readonly radius: number;
  readonly reservation: string;
  readonly out: readonly string[];
  /** How many clients with budget were there; left out under DP-FTRL and by older versions. */
  readonly candidates?: number;
  /** Approved clients that were not there, under DP-FTRL. */
  readonly away?: readonly string[];
  readonly released?: PrivacyFigures;
};

/** The noise and the clip as they stand, the rounds that were released, and the last release. */
export type PrivacyState = {
  readonly noiseMultiplier: number;
  readonly sampleRate: number;
  /** The rounds that must complete; left out by journals of older versions, where they are the plan's. */
  readonly rounds?: number;
  /** The noise that the run began with. */
  readonly plannedNoise: number;
  /** Since the run was last solved: rounds that opened, and the candidates of all of them together. */
  readonly seen: { readonly rounds: number; readonly candidates: number };
  readonly radius: number;
  readonly released: number;
  /** Clients without budget for a round, when it was last asked. */
  readonly out: readonly string[];
  readonly last: { readonly release: string; readonly noiseNorm: number } | null;
  /** Where what single clients have saved is sealed, and the file before it; null before the first release. */
  readonly individual: { readonly file: string; readonly stale: string | null } | null;
  /** Rounds that opened under DP-FTRL, and in how many of them each client was not there. */
  readonly presence?: { readonly rounds: number; readonly away: Readonly<Record<string, number>> };
  /** Of DP-FTRL; left out elsewhere, and before its first noise was drawn. */
  readonly ftrl?: FtrlState;
};

/** A run as its journal tells it. */
export type RunState = {
  /** The hash of the plan that the run was created with; null before that. */
  readonly planHash: string | null;
  readonly status: 'waiting' | 'running' | 'completed' | 'stopped' | 'failed';
  readonly reason: string | null;
  readonly round: Round | null;
  readonly facts: OpenFacts | null;
  readonly records: readonly RoundRecord[];
  readonly tls: { readonly group: string; readonly protocol: string; readonly cipher: string } | null;
  /** Null unless the run is under central privacy. */
  readonly privacy: PrivacyState | null;
  readonly seconds: number;
  /** What has been reported for each question of the plan's histograms, by its key. */
  readonly histograms: Readonly<Record<string, HistogramCounts>>;
  /** What detection remembers of the clients. */
  readonly detection: Memory;
  /** The privacy ledger as the newest tree head has it. */
  readonly ledgerSeal: LedgerSeal | null;
  /** The newest signed tree head, with the witnesses' signatures that have come since. */
  readonly checkpoint: string | null;
  /** The signed card of each model, by the model's hash. */
  readonly cards: Readonly<Record<string, string>>;
  /** Of devices whose key was replaced or is to be: since when it is in use, and whether another was asked for. */
  readonly deviceKeys: Readonly<Record<string, { readonly sinceMs?: number; readonly isAsked: boolean }>>;
  /** Who lacks a QKD key and why, as of the newest word on it. */
  readonly qkdAbsent: readonly { readonly clientId: string; readonly reason: string }[];
};

export const initialState: RunState = {
  planHash: null,
  status: 'waiting',
  reason: null,
  round: null,
  facts: null,
  records: [],
  tls: null,
  privacy: null,
  seconds: 0,
  histograms: {},
  detection: emptyMemory,
  checkpoint: null,
  ledgerSeal: null,
  cards: {},
  deviceKeys: {},
  qkdAbsent: [],
};

/** Whether a run is over, for whatever reason. */
export function hasEnded({ status }: RunState): boolean {
  return status === 'completed' || status === 'stopped' || status === 'failed';
}

/**
 * Applies one journal entry. Used for what happens now and for what is read back after a restart, so that both give
 * the same state.
 */
export function evolve(state: RunState, entry: JournalEntry): RunState {
  const data = entry.data;
  switch (entry.kind) {
    case 'run.created':
      return { ...withCard(state, data['model'], data['card']), planHash: data['planHash'] as string };
    case 'ledger.sealed':
      return { ...state, ledgerSeal: withSeal(state.ledgerSeal, data as unknown as LedgerSeal) };
    case 'log.tree-head':
      return { ...state, checkpoint: data['checkpoint'] as string };
    case 'log.cosigned':
      return { ...state, checkpoint: data['checkpoint'] as string };
    case 'privacy.planned': {
      return { ...state, privacy: plannedState(data as unknown as PrivacyState) };
    }
    case 'privacy.replanned': {
      const course = data['course'] as unknown as Course;
      return { ...state, privacy: { ...state.privacy!, ...course, seen: nobodySeen } };
    }
    case 'privacy.drawn':
      return { ...state, privacy: withDrawn(state.privacy!, entry.round!, data) };
    case 'privacy.released':
      return applyRelease(state, data as unknown as PrivacyFigures & PrivacyRelease);
    case 'client.connected':
      return data['tls'] === undefined ? state : { ...state, tls: data['tls'] as unknown as RunState['tls'] };
    case 'qkd.keys':
      return { ...state, qkdAbsent: data['absent'] as unknown as RunState['qkdAbsent'] };
    case 'round.opened':
      return {
        ...withNoise(state, data['privacy'] as unknown as RoundPrivacy | undefined),
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
          withQkd: [],
          refused: [],
          declined: [],
          ...(data['privacy'] === undefined ? {} : { privacy: data['privacy'] as unknown as RoundPrivacy }),
        },
      };
    case 'round.event':
      return applyRoundEvent(state, data as unknown as JournaledEvent);
    case 'update.refused':
      return withFacts(state, (facts) => ({
        refused: [...facts.refused, { clientId: data['clientId'] as string, code: data['code'] as string }],
      }));
    case 'client.declined':
      return withFacts(state, (facts) => ({
        declined: [...new Set([...facts.declined, data['clientId'] as string])].sort(),
      }));
    case 'model.published':
      return withFacts(withCard(state, data['hash'], data['card']), () => ({
        published: data as unknown as NonNullable<OpenFacts['published']>,
      }));
    case 'round.verdicts':
      return withFacts(
        { ...state, detection: remember(state.detection, data['inspection'] as unknown as Inspection) },
        () => ({ verdicts: data['verdicts'] as unknown as readonly ClientVerdict[] }),
      );
    case 'round.reports':
      return { ...state, histograms: countedReports(state.histograms, data['reports'] as unknown as RoundReports) };
    case 'round.evaluated':
      return withFacts(state, () => ({ clients: data as unknown as ClientEvaluation }));
    case 'round.closed': {
      const { salt: _, ...record } = data;
      return {
        ...state,
        round: null,
        facts: null,
        records: [...state.records, record as unknown as RoundRecord],
        detection: rememberRefusals(state.detection, refusedForContent(data as unknown as RoundRecord), entry.round!),
        seconds: state.seconds + (data['seconds'] as number),
      };
    }
    case 'device.key-asked':
      return withDeviceKey(state, data, { isAsked: true });
    case 'device.key':
      return withDeviceKey(state, data, { sinceMs: entry.atMs, isAsked: false });
    case 'run.completed':
      return { ...state, status: 'completed' };
    case 'run.failed':
      return { ...state, status: 'failed', reason: data['reason'] as string };
    case 'run.stopped':
      return {
        ...state,
        status: 'stopped',
        reason: data['reason'] as string,
        privacy: withOut(state.privacy, data['out'] as readonly string[] | undefined),
      };
    default:
      return state;
  }
}

/** The event, the time at which it was taken, and of an accepted envelope the device whose QKD key it was under. */
type JournaledEvent = { readonly event: RoundEvent; readonly nowMs: number; readonly qkdDevice?: string };

/** The event and the time at which it was taken, as one journal entry. */
export function roundEventData(event: RoundEvent, nowMs: number, qkdDevice?: string): { readonly [key: string]: Json } {
  return { event: event as unknown as Json, nowMs, ...(qkdDevice === undefined ? {} : { qkdDevice }) };
}

/** Applies an event to a round at a time: first the clock, then the event. */
export function advance(round: Round, event: RoundEvent, nowMs: number): ReturnType<typeof step> {
  const ticked = step(round, { kind: 'tick', nowMs });
  if (event.kind === 'tick') return ticked;
  const after = step(ticked.round, event);
  return { round: after.round, effects: [...ticked.effects, ...after.effects] };
}

function applyRoundEvent(state: RunState, { event, nowMs, qkdDevice }: JournaledEvent): RunState {
  if (state.round === null) return state;
  const before = state.round;
  const { round } = advance(before, event, nowMs);
  const next = withFacts({ ...state, round }, ({ withQkd }) => ({
    withQkd: qkdDevice === undefined || withQkd.includes(qkdDevice) ? withQkd : [...withQkd, qkdDevice],
  }));
  const isUpdate = event.kind === 'accepted' && before.phases[before.phaseIndex]?.collects === 'update';
  return isUpdate ? withFacts(next, (facts) => ({ accepted: [...facts.accepted, event.clientId] })) : next;
}

/** A seal tells of the chains that have grown: the others stand where they stood. */
function withSeal(before: LedgerSeal | null, seal: LedgerSeal): LedgerSeal {
  return seal.chains === undefined ? seal : { ...seal, chains: { ...before?.chains, ...seal.chains } };
}

function withCard(state: RunState, model: Json | undefined, card: Json | undefined): RunState {
  return card === undefined ? state : { ...state, cards: { ...state.cards, [model as string]: card as string } };
}

type PrivacyRelease = {
  readonly release: string;
  readonly noiseNorm: number;
  readonly nextRadius: number;
  /** Left out by releases of older versions. */
  readonly individual?: string | null;
  /** The file of what the next leaf needs, under DP-FTRL: null after the last. */
  readonly sums?: string | null;
};

function withOut(privacy: PrivacyState | null, out: readonly string[] | undefined): PrivacyState | null {
  return privacy === null || out === undefined ? privacy : { ...privacy, out };
}

/** The noise may have been solved anew for this round; it stays so until it is again. */
function withNoise(state: RunState, opened: RoundPrivacy | undefined): RunState {
  if (state.privacy === null || opened === undefined) return state;
  const { noiseMultiplier, out, candidates, away } = opened;
  const { seen } = state.privacy;
  const seenNow =
    candidates === undefined ? seen : { rounds: seen.rounds + 1, candidates: seen.candidates + candidates };
  const presence = away === undefined ? {} : { presence: withAway(state.privacy.presence, away) };
  return { ...state, privacy: { ...state.privacy, noiseMultiplier, out, seen: seenNow, ...presence } };
}

function withAway(
  { rounds, away: before }: NonNullable<PrivacyState['presence']> = { rounds: 0, away: {} },
  away: readonly string[],
): NonNullable<PrivacyState['presence']> {
  const counted = Object.fromEntries(away.map((clientId) => [clientId, (before[clientId] ?? 0) + 1]));
  return { rounds: rounds + 1, away: { ...before, ...counted } };
}

const nobodySeen = { rounds: 0, candidates: 0 };

function plannedState({ noiseMultiplier, sampleRate, rounds, radius }: PrivacyState): PrivacyState {
  return {
    noiseMultiplier,
    sampleRate,
    ...(rounds === undefined ? {} : { rounds }),
    plannedNoise: noiseMultiplier,
    seen: nobodySeen,
    radius,
    released: 0,
    out: [],
    last: null,
    individual: null,
  };
}

/** The rounds that a run must complete: the plan's, unless the run was solved anew. */
export function roundsOf({ privacy }: RunState, { rounds }: Pick<Plan, 'rounds'>): number {
  return privacy?.rounds ?? rounds.count;
}

function applyRelease(state: RunState, data: PrivacyFigures & PrivacyRelease): RunState {
  const { release, noiseNorm, nextRadius, noiseMultiplier, sampleRate, radius, epsilon, delta, noise } = data;
  const figures: PrivacyFigures = { noiseMultiplier, sampleRate, radius, epsilon, delta, noise };
  const privacy = {
    ...state.privacy!,
    radius: nextRadius,
    released: state.privacy!.released + 1,
    last: { release, noiseNorm },
    individual:
      data.individual === null || data.individual === undefined
        ? null
        : { file: data.individual, stale: state.privacy!.individual?.file ?? null },
    ...withLeaf(state.privacy!, state.round?.participants ?? [], data.sums),
  };
  return withFacts({ ...state, privacy }, ({ privacy: opened }) => ({ privacy: { ...opened!, released: figures } }));
}

function withDeviceKey(
  state: RunState,
  { deviceId }: JournalEntry['data'],
  change: RunState['deviceKeys'][string],
): RunState {
  const before = state.deviceKeys[deviceId as string];
  return { ...state, deviceKeys: { ...state.deviceKeys, [deviceId as string]: { ...before, ...change } } };
}

function withFacts(state: RunState, change: (facts: OpenFacts) => Partial<OpenFacts>): RunState {
  return state.facts === null ? state : { ...state, facts: { ...state.facts, ...change(state.facts) } };
}
