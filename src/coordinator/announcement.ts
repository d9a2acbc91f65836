import { type Announcement, announcementBytes, type SignedAnnouncement } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import { phaseOf } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import { suiteWithQkd } from '../core/protocol/suite.ts';
import type { CoordinatorParts, OpenRoundKey } from './parts.ts';
import type { Snapshot } from './run-log.ts';

/** What one device is told of a run as it stands: to work, to wait, or that the run is done. Signed. */
export function announce(
  snapshot: Snapshot,
  device: Device,
  context: {
    readonly parts: CoordinatorParts;
    readonly layout: string;
    readonly roundKey: OpenRoundKey | undefined;
  },
): SignedAnnouncement {
  const { orgId, runId, plan, signingKey } = context.parts;
  const { run, models } = snapshot;
  const { round, facts } = run;
  const status = snapshot.devices.get(device.deviceId)?.status ?? 'removed';
  const key = context.roundKey?.qkd.get(device.deviceId);
  // Under "required" a device without a key of this round has nothing to do in it: there is no weaker way.
  const hasKey = plan.security.qkd.policy !== 'required' || key !== undefined;
  const phase = round === null ? undefined : phaseOf(round);
  const isEnded = run.status === 'completed' || run.status === 'stopped' || status === 'removed';
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
    round: round?.number ?? run.records.at(-1)?.round ?? 0,
    phaseId: phase?.id ?? '',
    collects: phase?.collects ?? 'update',
    baseModel: base ?? models.at(-1)!.hash,
    layout: context.layout,
    suite: qkd === undefined ? plan.security.suite : suiteWithQkd[plan.security.suite],
    codec: plan.aggregation.codec,
    roundKey: isWanted ? context.roundKey!.key.publicKey.toBase64() : '',
    ...(qkd === undefined ? {} : { qkd: { ...qkd.mark, source: qkd.source } }),
  };
  const signature = signingKey.sign(purposes.announcement, announcementBytes(announcement)).toBase64();
  return { announcement, signature };
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
  if (isEnded) return run.reason ?? (status === 'removed' ? 'removed by the operator' : run.status);
  return status === 'pending' ? 'waiting for approval' : undefined;
}
