import { accepted, type Outcome, type Rejection, rejected } from '../core/intake/rejection.ts';
import type { DeclineRequest, Receipt } from '../core/protocol/messages.ts';
import { canAccept, phaseOf, type Round } from '../core/round/round.ts';
import { step } from '../core/round/step.ts';
import { type AcceptedEnvelope, ConflictError, type Device } from '../ports/store.ts';
import type { CoordinatorParts } from './parts.ts';
import type { RunLog } from './run-log.ts';
import { roundEventData } from './state.ts';

const refusalsJournaledMax = 20;

/** Decides about contributions whose content has been checked, and writes down those that are refused. */
export type Acceptance = {
  record(
    device: Device,
    seen: Round,
    contribution: Pick<AcceptedEnvelope, 'baseModel' | 'nonce' | 'contentHash' | 'bytes'>,
    options: { readonly hasQkd: boolean },
  ): Promise<Outcome<Receipt>>;
  refuse(
    device: Device,
    refusal: Rejection,
    what: { readonly seen: Round | null; readonly bytes: number },
  ): Promise<void>;
  /** Whether the phase that is declined is open: then it does not wait for this client any longer. */
  decline(device: Device, request: DeclineRequest): Promise<boolean>;
  /** The round is over: refusals are counted anew. */
  forget(): void;
};

export function createAcceptance(
  { orgId, runId }: Pick<CoordinatorParts, 'orgId' | 'runId'>,
  log: RunLog,
  nowMs: () => number,
): Acceptance {
  const refusalCounts = new Map<string, number>();

  /** A nonce that this device used before on the same base model: the client's fault, not the coordinator's. */
  function onConflict(error: unknown): Rejection {
    if (error instanceof ConflictError) return rejected('replayed', error.message);
    throw error;
  }

  return {
    /**
     * The decision is taken on the newest state and at the present time: while the signature was checked the phase may
     * have closed, its deadline may have passed, or the operator may have removed the device.
     */
    record(device, seen, contribution, { hasQkd }) {
      const { contentHash } = contribution;
      const receipt: Receipt = { contentHash, round: seen.number, phaseId: phaseOf(seen).id };
      const decided = log.record<Outcome<Receipt>>(({ run, devices }) => {
        const now = nowMs();
        const round = run.round === null ? null : step(run.round, { kind: 'tick', nowMs: now }).round;
        if (round === null || run.status !== 'running' || !isSamePhase(round, seen)) {
          return { result: rejected('round-closed', `round ${seen.number} moved on`) };
        }
        const { status } = devices.get(device.deviceId) ?? { status: 'removed' };
        if (status !== 'approved') return { result: rejected('not-invited', `the device is ${status}`) };
        if (round.accepted[device.clientId] === contentHash) return { result: accepted(receipt) };
        const answer = canAccept(round, device.clientId);
        if (answer !== 'yes') return { result: rejected(answer, `round ${round.number}`) };
        const event = { kind: 'accepted', clientId: device.clientId, contentHash } as const;
        const place = { orgId, runId, round: round.number, phaseId: phaseOf(round).id, deviceId: device.deviceId };
        return {
          changes: [{ kind: 'accept', envelope: { ...place, ...contribution } }],
          drafts: [
            {
              kind: 'round.event',
              round: round.number,
              data: roundEventData(event, now, hasQkd ? device.deviceId : undefined),
            },
          ],
          result: accepted(receipt),
        };
      });
      return decided.catch(onConflict);
    },

    async refuse(device, refusal, { seen, bytes }) {
      const round = seen?.number ?? 0;
      const key = `${round}/${device.clientId}`;
      const count = (refusalCounts.get(key) ?? 0) + 1;
      refusalCounts.set(key, count);
      // A flood of refusals must not fill the disk: the first ones of a round tell the story.
      if (count > refusalsJournaledMax) return;
      await log.record(({ run }) => {
        const { code, detail } = refusal;
        const data = { clientId: device.clientId, deviceId: device.deviceId, code, detail, bytes };
        const event = { kind: 'refused', clientId: device.clientId } as const;
        // What was meant for another round, or came before this phase, is no answer to it: the client is still awaited.
        const isOurs =
          code !== 'wrong-round' &&
          run.round !== null &&
          seen !== null &&
          isSamePhase(run.round, seen) &&
          canAccept(run.round, device.clientId) === 'yes';
        return {
          drafts: [
            { kind: 'update.refused', round, data },
            ...(isOurs ? [{ kind: 'round.event', round, data: roundEventData(event, nowMs()) }] : []),
          ],
          result: undefined,
        };
      });
    },

    decline: (device, { decline, signature }) =>
      log.record<boolean>(({ run: { round } }) => {
        const { clientId, deviceId } = device;
        const isOpen =
          round?.number === decline.round &&
          phaseOf(round).id === decline.phaseId &&
          canAccept(round, clientId) === 'yes';
        if (!isOpen) return { result: false };
        if (round.refused.includes(clientId)) return { result: true };
        const { phaseId, reason } = decline;
        const data = { clientId, deviceId, phaseId, reason, signature };
        const event = { kind: 'refused', clientId } as const;
        return {
          drafts: [
            { kind: 'client.declined', round: round.number, data },
            { kind: 'round.event', round: round.number, data: roundEventData(event, nowMs()) },
          ],
          result: true,
        };
      }),

    forget: () => refusalCounts.clear(),
  };
}

function isSamePhase(a: Round, b: Round): boolean {
  return a.number === b.number && a.phaseIndex === b.phaseIndex;
}
