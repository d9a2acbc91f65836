import { z } from 'zod';
import { canonicalBytes, type Json } from './canonical-json.ts';
import { keyCertificate } from './key-certificate.ts';
import { keyRevocationReasons, revocationReasons } from './revocation-reasons.ts';
import { base64Field, deviceKeyText, deviceSignatureText } from './messages-fields.ts';

/** The messages of the HTTP interface, as schemas: server, client and command line derive their types from here. */

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const identifier = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

export const enrolRequest = z.strictObject({
  /** The public key that the link's token stands for, and its signature: the token itself is never sent. */
  invitation: deviceKeyText,
  voucher: deviceSignatureText,
  name: z.string().max(100),
  publicKey: deviceKeyText,
  /** The exporter of the connection that the client sends this over. */
  channel: hex32,
  proof: deviceSignatureText,
});

export const enrolResponse = z.strictObject({
  orgId: identifier,
  runId: identifier,
  deviceId: identifier,
  clientId: identifier,
  status: z.enum(['pending', 'approved', 'removed']),
  /** Certifies the key that signs announcements. */
  coordinatorKey: deviceKeyText,
  /** Signs the log's tree heads. */
  logKey: deviceKeyText,
  planHash: hex32,
  plan: z.json(),
});

export const challengeRequest = z.strictObject({ deviceId: identifier });
export const challengeResponse = z.strictObject({ challenge: base64Field(32) });
export const sessionRequest = z.strictObject({
  deviceId: identifier,
  challenge: base64Field(32),
  /** The exporter of the connection that the client sends this over. */
  channel: hex32,
  proof: deviceSignatureText,
});
/** A request for a certificate (PKCS #10, PEM), under the key that the device is known by. */
export const certificateRequest = sessionRequest.extend({ request: z.string().min(1).max(20_000) });
export const issueRequest = z.strictObject({ request: z.string().min(1).max(20_000), subject: identifier });
/** An offline root's certificate, and the one that it has signed for the authority. */
export const anchorRequest = z.strictObject({
  root: z.string().min(1).max(60_000),
  certificate: z.string().min(1).max(60_000),
});
export const revokeRequest = z.strictObject({
  reason: z.enum(revocationReasons),
});
/** Why a key is revoked; the names are those of RFC 5280. */
export const revokeKeyRequest = z.strictObject({
  reason: z.enum(keyRevocationReasons),
});
export const certificateResponse = z.strictObject({ certificate: z.string().min(1).max(40_000) });
export const sessionResponse = z.strictObject({ session: z.string(), status: enrolResponse.shape.status });

/** What the coordinator tells a client: references only. Signed as canonical JSON. */
export const announcement = z.strictObject({
  version: z.literal(1),
  orgId: identifier,
  runId: identifier,
  deviceId: identifier,
  /** `work`: contribute to this phase. `wait`: nothing to do now. `done`: the run has ended. */
  state: z.enum(['work', 'wait', 'done']),
  reason: z.string().optional(),
  /** How the run has ended for this device; with `done` only. */
  end: z.enum(['completed', 'stopped', 'failed', 'removed']).optional(),
  round: z.int().min(0),
  /** The newest round whose published model this client's update is part of, where its algorithm asks for it; 0 else. */
  counted: z.int().min(0),
  phaseId: z.string(),
  collects: z.enum(['update', 'metrics']),
  baseModel: hex32,
  layout: hex32,
  suite: z.int(),
  codec: z.string(),
  roundKey: z.string(),
  /** The QKD key to mix in (suite with QKD), and what it rests on. An empty key id: the epoch secret alone. */
  qkd: z
    .strictObject({ epoch: z.int().min(0), keyId: z.string().max(128), source: z.enum(['simulated', 'unknown']) })
    .optional(),
  /** The device is to replace its key, before it contributes. */
  rotateKey: z.literal(true).optional(),
});
export const signedAnnouncement = z.strictObject({
  announcement,
  signature: deviceSignatureText,
  /** The key that has signed. */
  certificate: keyCertificate,
});

/** A device's new key. Signed by the key in use, and by the new one: it is held. */
export const rotateKeyRequest = z.strictObject({
  rotation: z.strictObject({
    version: z.literal(1),
    orgId: identifier,
    runId: identifier,
    deviceId: identifier,
    publicKey: deviceKeyText,
  }),
  signature: deviceSignatureText,
  proof: deviceSignatureText,
});

/** How far an upload has come, in bytes of its envelope. */
export const uploadState = z.strictObject({ offset: z.int().min(0), bytes: z.int().min(0) });

export const receipt = z.strictObject({ contentHash: hex32, round: z.int(), phaseId: z.string() });

/** A site that cannot contribute to a phase says so: nobody waits for it then. Signed as canonical JSON. */
export const declineRequest = z.strictObject({
  decline: z.strictObject({
    version: z.literal(1),
    orgId: identifier,
    runId: identifier,
    deviceId: identifier,
    round: z.int().min(1),
    phaseId: z.string().max(64),
    /** A closed list: what a trainer says may hold what must not leave the site. */
    reason: z.enum(['trainer-failed', 'no-qkd-key', 'privacy-budget-spent']),
  }),
  signature: deviceSignatureText,
});

export const witnessNoteRequest = z.strictObject({ checkpoint: z.string().max(60_000) });

export const inviteRequest = z.strictObject({ count: z.int().min(1).max(10_000), subject: identifier.optional() });
export const inviteResponse = z.strictObject({
  links: z.array(z.strictObject({ subject: identifier, link: z.string(), expiresAtMs: z.number() })),
});
export const deviceStatusRequest = z.strictObject({ status: z.enum(['approved', 'removed']) });

export type EnrolRequest = z.infer<typeof enrolRequest>;
export type EnrolResponse = z.infer<typeof enrolResponse>;
export type Announcement = z.infer<typeof announcement>;
export type SignedAnnouncement = z.infer<typeof signedAnnouncement>;
export type DeclineRequest = z.infer<typeof declineRequest>;
export type RotateKeyRequest = z.infer<typeof rotateKeyRequest>;
export type Receipt = z.infer<typeof receipt>;

/** What a device signs to open a session, for this server and this connection only. */
export function sessionProofBytes(parts: {
  deviceId: string;
  challenge: string;
  pin: string;
  channel: string;
}): Uint8Array {
  return canonicalBytes(parts);
}

/** What a device signs to ask for a certificate, for this server and this connection only. */
export function certificateRequestBytes(parts: {
  deviceId: string;
  challenge: string;
  pin: string;
  channel: string;
  request: string;
}): Uint8Array {
  return canonicalBytes(parts);
}

/** What a device signs to decline a phase. */
export function declineBytes(value: DeclineRequest['decline']): Uint8Array {
  return canonicalBytes(value);
}

/** What a device's old and new key sign when one takes the other's place. */
export function keyRotationBytes(value: RotateKeyRequest['rotation']): Uint8Array {
  return canonicalBytes(value);
}

export function announcementBytes(value: Announcement): Uint8Array {
  return canonicalBytes(value as Json);
}
