import type { Plan } from '../core/plan/plan.ts';
import { enrolmentBytes, invitationHash, invitationKey } from '../core/protocol/invitation.ts';
import type { EnrolRequest } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import type { Clock } from '../ports/clock.ts';
import { isOfSuite } from '../core/protocol/suite.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Device, DeviceStatus, Invitation } from '../ports/store.ts';
import type { Decision, RunLog, Snapshot } from './run-log.ts';
import { hasEnded } from './state.ts';

/** Anybody can send what is refused here: it must not fill the disk. Counted from the coordinator's start. */
const refusalsJournaledMax = 1000;

export type Invited = { readonly subject: string; readonly token: string; readonly expiresAtMs: number };

/** Why an enrolment was refused; the sender learns only that the link cannot be used. */
export type EnrolmentRefusal = 'unknown-token' | 'expired-token' | 'spent-token' | 'bad-proof' | 'run-ended';

export type EnrolmentResult =
  | { readonly ok: true; readonly device: Device }
  | { readonly ok: false; readonly code: EnrolmentRefusal };

export type Enrolment = {
  invite(count: number, subject?: string): Promise<readonly Invited[]>;
  enrol(request: EnrolRequest): Promise<EnrolmentResult>;
  setStatus(deviceId: string, status: DeviceStatus): Promise<Device | undefined>;
};

/**
 * Invitations and enrolment: single-use tokens, of which the coordinator keeps the hash of a public key, spent in the
 * transaction that makes the device.
 */
export function createEnrolment(parts: {
  readonly log: RunLog;
  readonly plan: Plan;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly orgId: string;
  readonly runId: string;
  readonly pin: string;
}): Enrolment {
  const { log, plan, crypto, clock, orgId, runId, pin } = parts;

  const { suite } = plan.security;
  const hashOf = (token: string) => invitationHash(invitationKey(token, suite, crypto).publicKey);

  let refusals = 0;

  function refuse(code: EnrolmentRefusal, tokenHash: string): Decision<EnrolmentResult> {
    refusals += 1;
    const draft = { kind: 'enrolment.refused', data: { code, tokenHash: tokenHash.slice(0, 16) } };
    return { drafts: refusals > refusalsJournaledMax ? [] : [draft], result: { ok: false, code } };
  }

  return {
    invite(count, subject) {
      const expiresAtMs = Math.round(clock.wallMs() + plan.enrolment.linkHours * 3_600_000);
      const tokens = Array.from({ length: count }, () =>
        crypto.randomBytes(24).toBase64({ alphabet: 'base64url', omitPadding: true }),
      );
      // Outside of the transaction: a key is made for each.
      const hashes = tokens.map(hashOf);
      return log.record((snapshot) => {
        const subjects = subject === undefined ? nextSubjects(snapshot, count) : tokens.map(() => subject);
        const invitations = tokens.map(
          (_, i): Invitation => ({ orgId, runId, tokenHash: hashes[i]!, subject: subjects[i]!, expiresAtMs }),
        );
        return {
          changes: invitations.map((invitation) => ({ kind: 'invite', invitation })),
          drafts: invitations.map((invitation) => ({
            kind: 'invitation.created',
            data: { subject: invitation.subject, expiresAtMs, tokenHash: invitation.tokenHash.slice(0, 16) },
          })),
          result: tokens.map((token, i) => ({ subject: subjects[i]!, token, expiresAtMs })),
        };
      });
    },

    async enrol({ invitation: invitationText, voucher, name, publicKey, channel, proof }) {
      const invited = Uint8Array.fromBase64(invitationText);
      const tokenHash = invitationHash(invited);
      // Looked up before the signature is checked, which costs more; looked up again below, in the transaction.
      if (!log.snapshot().invitations.has(tokenHash)) return log.record(() => refuse('unknown-token', tokenHash));
      const message = enrolmentBytes({ invitation: tokenHash, publicKey, pin, channel });
      const key = Uint8Array.fromBase64(publicKey);
      const isProven =
        isOfSuite(suite, key) &&
        (await crypto.verify(invited, purposes.invitation, message, Uint8Array.fromBase64(voucher))) &&
        (await crypto.verify(key, purposes.enrolment, message, Uint8Array.fromBase64(proof)));
      const deviceId = `d-${crypto.sha256(key).toHex().slice(0, 24)}`;

      return log.record((snapshot) => {
        const invitation = snapshot.invitations.get(tokenHash);
        if (invitation === undefined) return refuse('unknown-token', tokenHash);
        if (!isProven) return refuse('bad-proof', tokenHash);
        const known = invitation.spentBy === undefined ? undefined : snapshot.devices.get(invitation.spentBy);
        // The same device asks again, as its answer was lost: it gets the same answer.
        if (known?.publicKey === publicKey) return { result: { ok: true, device: known } };
        if (invitation.spentBy !== undefined || snapshot.devices.has(deviceId)) return refuse('spent-token', tokenHash);
        if (clock.wallMs() > invitation.expiresAtMs) return refuse('expired-token', tokenHash);
        if (hasEnded(snapshot.run)) return refuse('run-ended', tokenHash);
        const device: Device = {
          orgId,
          runId,
          deviceId,
          clientId: invitation.subject,
          name,
          publicKey,
          status: plan.enrolment.approve === 'auto' ? 'approved' : 'pending',
          enrolledAtMs: Math.round(clock.wallMs()),
        };
        // A site that enrols again replaces its earlier device: one client, one voice.
        const replaced = [...snapshot.devices.values()].filter(
          (other) => other.clientId === device.clientId && other.status !== 'removed',
        );
        return {
          changes: [
            { kind: 'enrol', tokenHash, device },
            ...replaced.map(
              (other) => ({ kind: 'device-status', deviceId: other.deviceId, status: 'removed' }) as const,
            ),
          ],
          drafts: [
            ...replaced.map((other) => ({
              kind: 'device.status',
              data: { deviceId: other.deviceId, clientId: other.clientId, status: 'removed', reason: 'enrolled again' },
            })),
            {
              kind: 'device.enrolled',
              data: { deviceId, clientId: device.clientId, status: device.status, tokenHash: tokenHash.slice(0, 16) },
            },
          ],
          result: { ok: true, device },
        };
      });
    },

    setStatus: (deviceId, status) =>
      log.record((snapshot) => {
        const device = snapshot.devices.get(deviceId);
        if (device === undefined || device.status === status) return { result: device };
        return {
          changes: [{ kind: 'device-status', deviceId, status }],
          drafts: [{ kind: 'device.status', data: { deviceId, clientId: device.clientId, status } }],
          result: { ...device, status },
        };
      }),
  };
}

/** `client-01`, `client-02`, …: the next names that no invitation has. */
function nextSubjects(snapshot: Snapshot, count: number): readonly string[] {
  const taken = new Set([...snapshot.invitations.values()].map((invitation) => invitation.subject));
  const subjects: string[] = [];
  for (let i = 1; subjects.length < count; i++) {
    const subject = `client-${String(i).padStart(2, '0')}`;
    if (!taken.has(subject)) subjects.push(subject);
  }
  return subjects;
}
