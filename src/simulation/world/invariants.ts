import { hash } from '../../primitives/index.ts';
import { canonicalJson, type Json } from '../../core/protocol/canonical-json.ts';
import { isEnvelope } from '../../core/protocol/envelope.ts';
import { phaseOf, type Round } from '../../core/round/round.ts';
import { hasEnded, type RunState } from '../../coordinator/state.ts';
import { honestMajorityBoundsTheError, modelIsTheAggregateOfTheAccepted } from './aggregate-invariants.ts';
import { budgetsAreKept } from './ledger-invariant.ts';
import type { Invariant } from './observed.ts';

const text = (value: unknown) => canonicalJson(value as Json);

/** Model versions grow by one, each on the one before. */
const versionsGrowByOne: Invariant = (_truth, refuse) => ({
  commit({ models }) {
    for (const [i, model] of models.entries()) {
      if (model.version !== i) refuse(`model ${i} has the version ${model.version}`);
      const parent = models[i - 1]?.hash ?? null;
      if (model.parentHash !== parent) refuse(`model ${i} has the parent ${model.parentHash} and not ${parent}`);
    }
  },
});

/** A client counts once in a phase, and only if it takes part. */
const nothingIsCountedTwice: Invariant = (_truth, refuse) => {
  const seen = new Set<string>();
  return {
    commit({ entries, before, after, accepted }) {
      let phase = before.round === null ? '' : placeOf(before.round);
      for (const { kind, data, round } of entries) {
        if (kind === 'round.opened') phase = `${round}/0`;
        const event = data['event'] as unknown as { kind: string; clientId: string; contentHash: string } | undefined;
        if (kind !== 'round.event' || event?.kind !== 'accepted') continue;
        for (const key of [`${phase}/${event.clientId}`, event.contentHash]) {
          if (seen.has(key)) refuse(`${key} was accepted before`);
          seen.add(key);
        }
        const participants = (before.round ?? after.round)?.participants ?? [];
        if (!participants.includes(event.clientId)) refuse(`${event.clientId} does not take part`);
      }
      const { round } = after;
      if (round === null || before.round === null || placeOf(round) !== placeOf(before.round)) return;
      const counted = Object.values(round.accepted).sort();
      const rows = accepted.map(({ contentHash }) => contentHash).sort();
      if (text(counted) !== text(rows)) refuse(`the round counts ${counted.length}, the table has ${rows.length}`);
    },
  };
};

/** A published model has its file and its journal rows, written in the same transaction. */
const publishedModelsAreJournaled: Invariant = (_truth, refuse) => {
  let known = 0;
  return {
    async commit({ models, entries }, disk) {
      const fresh = models.slice(known);
      known = models.length;
      const said = entries
        .filter(({ kind }) => kind === 'model.published' || kind === 'run.created')
        .map(({ data }) => data['hash'] ?? data['model']);
      if (text(said) !== text(fresh.map(({ hash }) => hash))) {
        refuse(`the table has ${fresh.length} new models and the journal ${said.length}, or others`);
      }
      for (const { hash } of fresh) {
        if ((await disk.blobs.get(hash)) === undefined) refuse(`model ${hash} has no file`);
      }
    },
  };
};

/**
 * What a restart would read from the journal is what the coordinator shows, to the last byte: neither more, which would
 * be an answer before its time, nor less.
 */
const restartGivesTheSameState: Invariant = (_truth, refuse) => {
  const rest = (state: RunState) => ({ ...state, records: state.records.length });
  return {
    commit({ before, live }) {
      if (text(rest(before)) !== text(rest(live.run))) {
        refuse(`the journal said ${text(rest(before))}; memory says ${text(rest(live.run))}`);
      }
    },
    started({ coordinator, state, deviceCount, models }) {
      const { run, devices, models: rows } = coordinator.snapshot();
      if (text(run) !== text(state)) refuse(`after a restart the journal says ${text(state)}, memory ${text(run)}`);
      if (devices.size !== deviceCount || text(rows) !== text(models)) refuse('after a restart the tables differ');
    },
  };
};

/** Rounds, phases and the clock of a round never go back; an ended run stays as it ended. */
const nothingGoesBack: Invariant = (_truth, refuse) => {
  let last = 0;
  return {
    commit({ entries, before, after }) {
      for (const { kind, round } of entries) {
        if (kind === 'round.opened') {
          if (round !== last + 1) refuse(`round ${round} was opened after round ${last}`);
          last = round!;
        }
        if (kind === 'round.event' && round !== last) refuse(`an event of round ${round} in round ${last}`);
      }
      if (after.records.length < before.records.length) refuse('a closed round is gone');
      if (hasEnded(before) && (after.status !== before.status || after.reason !== before.reason)) {
        refuse(`the run was ${before.status} (${before.reason}) and is ${after.status} (${after.reason})`);
      }
      if (hasEnded(before) && after.round !== null && before.round === null) refuse('a round was opened after the end');
      if (before.round === null || after.round?.number !== before.round.number) return;
      if (rankOf(after.round) < rankOf(before.round))
        refuse(`from ${placeOf(before.round)} to ${placeOf(after.round)}`);
      if (after.round.nowMs < before.round.nowMs) refuse(`time from ${before.round.nowMs} to ${after.round.nowMs}`);
    },
  };
};

/** A receipt leaves when the row and the bytes are on disk. */
const acknowledgedIsOnDisk: Invariant = (_truth, refuse) => ({
  acknowledged({ contentHash, hasRow, stored, state: { round } }) {
    if (!hasRow) refuse(`${contentHash} was acknowledged and is in no table`);
    const isOpen = round?.status === 'collecting' || round?.status === 'reducing';
    const isNeeded = isOpen && Object.values(round.accepted).includes(contentHash);
    if (isNeeded && (stored === undefined || hash('sha256', stored) !== contentHash)) {
      refuse(`${contentHash} was acknowledged and its bytes are not on disk`);
    }
  },
});

/** A round fails for want of contributions, by its rule or by the operator: never because of a crash. */
const roundsFailForAReason: Invariant = (_truth, refuse) => {
  const reasons = [/^\d+ of \d+ contributions to /, /^Cannot run .* as /, /^stopped by the operator$/];
  return {
    commit({ entries }) {
      for (const { kind, data } of entries) {
        if (kind !== 'round.closed' || data['status'] === 'completed') continue;
        const reason = String(data['reason']);
        if (!reasons.some((known) => known.test(reason))) refuse(`round ${data['round'] as number} failed: ${reason}`);
      }
    },
  };
};

/** Late, repeated and lost messages are no fault of a client: an honest one is waited for, and never told off for lying. */
const honestClientsAreNotRefused: Invariant = ({ isHostile, plan }, refuse) => {
  const late = ['round-closed', 'wrong-round', 'replayed', 'not-invited', 'wrong-model'];
  /** Clients whose device the operator took out: what the old machine still sends is refused with good reason. */
  const replaced = new Set<string>();
  /** Sites under local privacy that were killed between counting an update and sending it: they have given all they may. */
  const spent = new Set<string>();
  return {
    commit({ entries, after }) {
      for (const { kind, data } of entries) {
        if (kind === 'device.status' && data['status'] === 'removed') replaced.add(data['clientId'] as string);
        if (kind === 'client.declined' && plan.privacy.mode === 'local') spent.add(data['clientId'] as string);
        if (kind !== 'update.refused' || isHostile(data['clientId'] as string)) continue;
        const code = data['code'] as string;
        if (!late.includes(code))
          refuse(`${data['clientId'] as string} was refused: ${code} (${data['detail'] as string})`);
      }
      const told = after.round?.refused.find(
        (clientId) => !isHostile(clientId) && !replaced.has(clientId) && !spent.has(clientId),
      );
      if (told !== undefined) refuse(`round ${after.round!.number} no longer waits for ${told}`);
    },
  };
};

/** The key of a round is gone when the round has ended. */
const roundKeysEndWithTheirRound: Invariant = (_truth, refuse) => ({
  ended({ state, roundKeys }) {
    if (hasEnded(state) && roundKeys.length > 0) refuse(`the keys of rounds ${roundKeys.join(', ')} are still there`);
  },
});

/** No envelope outlives its round: not one that arrived in parts, not one that was written when the coordinator was killed. */
const envelopesEndWithTheirRound: Invariant = (_truth, refuse) => ({
  ended({ state, blobs }) {
    const left = blobs.filter(isEnvelope).length;
    if (hasEnded(state) && left > 0) refuse(`${left} envelopes are still there`);
  },
});

/** A run ends: completed, or stopped with a reason. It never hangs. */
const runsEnd: Invariant = ({ plan }, refuse) => ({
  ended({ state, how }) {
    if (how === 'idle') refuse('nothing is left that could happen and the run has not ended');
    else if (how === 'late') refuse('the virtual deadline is over and the run has not ended');
    if (state.status === 'stopped' && !state.reason) refuse('the run was stopped without a reason');
    const completed = state.records.filter(({ status }) => status === 'completed').length;
    if (state.status === 'completed' && completed !== plan.rounds.count) {
      refuse(`the run completed ${completed} of ${plan.rounds.count} rounds`);
    }
    if (state.round !== null && how === 'ended') refuse(`round ${state.round.number} is still open at the end`);
  },
});

/** Every honest client hears that the run has ended, through any number of cuts and crashes. */
const clientsHearTheEnd: Invariant = ({ isHostile }, refuse) => ({
  ended({ state, clients, enrolled, how }) {
    for (const [i, { clientId, end }] of clients.entries()) {
      const isReplaced = clients.slice(i + 1).some((later) => later.clientId === clientId);
      if (isHostile(clientId) || isReplaced) continue;
      // Whoever comes when a run is over is told that its link is of no use: a client's second host, too.
      const hostCount = clients.filter((other) => other.clientId === clientId).length;
      const isTooLate = hasEnded(state) && enrolled.filter((id) => id === clientId).length < hostCount;
      if (end.kind === 'failed' && !isTooLate)
        refuse(`${clientId} gave up: ${(end.error as Error).stack ?? String(end.error)}`);
      if (end.kind === 'running' && how === 'ended') refuse(`${clientId} has not heard of the end`);
    }
  },
});

/** Everything that must hold in every world, by id. */
export const invariants = {
  'versions-grow-by-one': versionsGrowByOne,
  'nothing-is-counted-twice': nothingIsCountedTwice,
  'published-models-are-journaled': publishedModelsAreJournaled,
  'restart-gives-the-same-state': restartGivesTheSameState,
  'nothing-goes-back': nothingGoesBack,
  'acknowledged-is-on-disk': acknowledgedIsOnDisk,
  'model-is-the-aggregate-of-the-accepted': modelIsTheAggregateOfTheAccepted,
  'honest-majority-bounds-the-error': honestMajorityBoundsTheError,
  'budgets-are-kept': budgetsAreKept,
  'rounds-fail-for-a-reason': roundsFailForAReason,
  'honest-clients-are-not-refused': honestClientsAreNotRefused,
  'round-keys-end-with-their-round': roundKeysEndWithTheirRound,
  'envelopes-end-with-their-round': envelopesEndWithTheirRound,
  'runs-end': runsEnd,
  'clients-hear-the-end': clientsHearTheEnd,
} as const satisfies Record<string, Invariant>;

export type InvariantId = keyof typeof invariants;

function placeOf(round: Round): string {
  return `${round.number}/${round.phaseIndex}`;
}

function rankOf(round: Round): number {
  const statuses = ['collecting', 'reducing', 'completed', 'aborted'];
  const isOver = round.status === 'completed' || round.status === 'aborted';
  return (isOver ? round.phases.length : round.phases.indexOf(phaseOf(round))) * 4 + statuses.indexOf(round.status);
}
