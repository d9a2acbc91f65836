import { keepsState } from '../core/plan/learning.ts';
import { type Announcement, announcementBytes, type SignedAnnouncement } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import { phaseOf } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import { suiteWithQkd } from '../core/protocol/suite.ts';
import { isKeyDue } from './device-keys.ts';
import type { CoordinatorParts, OpenRoundKey } from './parts.ts';
import type { Snapshot } from './run-log.ts';
import { hasEnded, type RunState } from './state.ts';

/**
 * What one device is told of a run as it stands: to work, to wait, or that the run is done. Signed; undefined once the key
 * that signs has ended.
 */
export function announce(
  snapshot: Snapshot,
  device: Device,
  context: {
    readonly parts: CoordinatorParts;
    readonly layout: string;
    readonly roundKey: OpenRoundKey | undefined;
  },
): SignedAnnouncement | undefined {
  const { orgId, runId, plan, announcer, clock } = context.parts;
  const { key: signingKey, certificate } = announcer.current();
  // A key that has ended says nothing more, also where no other could be made.
  if (clock.wallMs() >= certificate.endsAtMs) return undefined;
  const { run, models } = snapshot;
  const { round, facts } = run;
  const status = snapshot.devices.get(device.deviceId)?.status ?? 'removed';
  const key = context.roundKey?.qkd.get(device.deviceId);
  // Under "required" a device without a key of this round has nothing to do in it: there is no weaker way.
  const hasKey = plan.security.qkd.policy !== 'required' || key !== undefined;
  const phase = round === null ? undefined : phaseOf(round);
  const end = endOf(snapshot, status);
  const isEnded = end !== undefined;
  const isWanted = !isEnded && status === 'approved' && hasKey && isAwaited(snapshot, device, context.roundKey?.round);
  const base = phase?.collects === 'metrics' ? (facts?.published?.hash ?? facts?.baseModel) : facts?.baseModel;
  const reason = reasonFor(snapshot, status, isEnded);
  const qkd = isWanted ? key : undefined;
  const announcement: Announcement = {
    version: 1,
    orgId,
    runId,
    deviceId: device.deviceId,
    state: isEnded ? 'done' : isWanted ? 'work' : 'wait',
    ...(reason === undefined ? {} : { reason }),
    ...(end === undefined ? {} : { end }),
    round: round?.number ?? run.records.at(-1)?.round ?? 0,
    counted: keepsState(plan) ? countedRound(run, device.clientId) : 0,
    phaseId: phase?.id ?? '',
    collects: phase?.collects ?? 'update',
    baseModel: base ?? models.at(-1)!.hash,
    layout: context.layout,
    suite: qkd === undefined ? plan.security.suite : suiteWithQkd[plan.security.suite],
    codec: plan.aggregation.codec,
    roundKey: isWanted ? context.roundKey!.key.publicKey.toBase64() : '',
    ...(qkd === undefined ? {} : { qkd: { ...qkd.mark, source: qkd.source } }),
    ...(isKeyDue(snapshot, device, clock.wallMs()) ? { rotateKey: true as const } : {}),
  };
  const signature = signingKey.sign(purposes.announcement, announcementBytes(announcement)).toBase64();
  return { announcement, signature, certificate };
}

/** The newest round whose published model the client's update is part of: what it keeps follows from that. */
export function countedRound({ round, facts, records }: RunState, clientId: string): number {
  if (round !== null && facts?.published !== undefined && facts.accepted.includes(clientId)) return round.number;
  const counted = records.findLast((record) => record.modelHash !== null && record.accepted.includes(clientId));
  return counted?.round ?? 0;
}

/** How the run has ended for a device: a removed one hears that, and the rest how the run did. */
function endOf({ run }: Snapshot, status: Device['status']): Announcement['end'] {
  if (status === 'removed') return 'removed';
  return hasEnded(run) ? (run.status as 'completed' | 'stopped' | 'failed') : undefined;
}

/** Whether the open phase still waits for this client's contribution, and the key to seal it to is there. */
function isAwaited({ run: { round } }: Snapshot, { clientId }: Device, keyRound: number | undefined): boolean {
  return (
    round?.status === 'collecting' &&
    keyRound === round.number &&
    round.participants.includes(clientId) &&
    !Object.hasOwn(round.accepted, clientId)
  );
}

function reasonFor({ run }: Snapshot, status: Device['status'], isEnded: boolean): string | undefined {
  if (status === 'removed')
    return 'removed by the operator, or replaced by a newer enrolment of its site, or its key has expired';
  if (isEnded) return run.reason ?? run.status;
  return status === 'pending' ? 'waiting for approval' : undefined;
}
