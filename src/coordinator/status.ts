import { planHash } from '../core/plan/plan.ts';
import { describeProfile } from '../core/protocol/channel-profile.ts';
import { suites } from '../core/protocol/suite.ts';
import { privacyStatement } from '../core/plan/privacy.ts';
import { histogramFigures } from '../core/round/histograms.ts';
import { phaseOf } from '../core/round/round.ts';
import type { Coordinator } from './coordinator.ts';
import { encodeVerifierKey } from '../core/transparency/signed-note.ts';
import { keyTimesOf } from './device-keys.ts';
import type { CoordinatorParts } from './parts.ts';
import { reputationOf } from './trust.ts';
import { roundsOf } from './state.ts';
import { fingerprintsOf } from './transparency.ts';

/** Where a run stands, for people and programs. */
export function statusOf(coordinator: Coordinator, parts: CoordinatorParts) {
  const { plan, orgId, runId, qkd } = parts;
  const keys = fingerprintsOf(parts);
  const { run, devices, invitations, models } = coordinator.snapshot();
  const connected = new Set(coordinator.connectedDevices().map(({ deviceId }) => deviceId));
  const suite = suites[plan.security.suite];
  const last = run.records.at(-1);
  return {
    orgId,
    runId,
    name: plan.name,
    status: run.status,
    reason: run.reason,
    planHash: planHash(plan),
    rounds: { planned: roundsOf(run, plan), completed: run.records.filter((one) => one.status === 'completed').length },
    open:
      run.round === null
        ? null
        : {
            round: run.round.number,
            phase: phaseOf(run.round).id,
            status: run.round.status,
            participants: run.round.participants.length,
            accepted: Object.keys(run.round.accepted).length,
          },
    accuracy: last?.accuracy ?? null,
    clientAccuracy: last?.clients?.accuracy ?? null,
    model: models.at(-1) === undefined ? null : { version: models.at(-1)!.version, hash: models.at(-1)!.hash },
    channel: {
      profile: plan.security.profile,
      is: describeProfile(plan.security.profile),
      clientCertificates: plan.security.clientCertificates,
      group: plan.security.channel,
      kem: suite.kem,
      signature: suite.signature,
      readByClients: run.tls,
    },
    log: {
      origin: coordinator.transparency.logKey.name,
      entries: coordinator.transparency.entries(),
      keyFingerprint: keys.treeHead,
      verifierKey: encodeVerifierKey(coordinator.transparency.logKey),
      path: `/v1/orgs/${orgId}/runs/${runId}`,
      witnesses: plan.transparency.witnesses.length,
    },
    qkd: {
      policy: plan.security.qkd.policy,
      keySourceTls: qkd?.tlsProfile ?? null,
      devicesInLastRound: run.facts?.withQkd.length ?? last?.withQkd ?? 0,
      absent: run.qkdAbsent,
    },
    privacy: {
      statement: privacyStatement(plan.privacy, plan.rounds.count),
      spent: run.records.findLast(({ privacy }) => privacy !== undefined)?.privacy?.epsilon ?? null,
      released: run.privacy?.released ?? null,
      out: run.privacy?.out ?? [],
      histograms: histogramFigures(plan, run.histograms),
    },
    invitations: {
      open: [...invitations.values()].filter((one) => one.spentBy === undefined).length,
      spent: [...invitations.values()].filter((one) => one.spentBy !== undefined).length,
    },
    devices: [...devices.values()]
      .map((device) => ({ ...device, key: keyTimesOf({ run }, device) }))
      .map(({ deviceId, clientId, name, status, enrolledAtMs, key }) => ({
        deviceId,
        clientId,
        name,
        status,
        isConnected: connected.has(deviceId),
        enrolledAtMs,
        /** When its key is to be replaced, which it does by itself, and when it ends. */
        key,
        reputation: reputationOf(run.detection, clientId, run.records),
      })),
  };
}

export type Status = ReturnType<typeof statusOf>;
