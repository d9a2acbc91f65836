import type { LedgerEntry } from '../core/privacy/ledger/chain.ts';
import type { Json } from '../core/protocol/canonical-json.ts';

/** An invitation. Only the hash of its token is kept. */
export type Invitation = {
  readonly orgId: string;
  readonly runId: string;
  readonly tokenHash: string;
  /** The stable name that budgets and results are counted under; the client id of whoever uses the link. */
  readonly subject: string;
  readonly expiresAtMs: number;
  readonly spentBy?: string;
};

export type DeviceStatus = 'pending' | 'approved' | 'removed';

/** An enrolled identity. */
export type Device = {
  readonly orgId: string;
  readonly runId: string;
  readonly deviceId: string;
  readonly clientId: string;
  /** What the site calls itself; for people. */
  readonly name: string;
  readonly publicKey: string;
  readonly status: DeviceStatus;
  readonly enrolledAtMs: number;
};

/** One line of the journal: what happened, when (for people), in which round. */
export type JournalEntry = {
  readonly version: 1;
  readonly sequence: number;
  readonly orgId: string;
  readonly runId: string;
  readonly round: number | null;
  readonly atMs: number;
  readonly kind: string;
  readonly data: { readonly [key: string]: Json | undefined };
};

/** A journal entry with its canonical JSON and leaf hash. */
export type JournalRow = { readonly entry: JournalEntry; readonly text: string; readonly leafHash: string };

/** An accepted envelope: unique by (org, run, base model, device, nonce) and by (org, run, round, phase, device). */
export type AcceptedEnvelope = {
  readonly orgId: string;
  readonly runId: string;
  readonly round: number;
  readonly phaseId: string;
  readonly deviceId: string;
  readonly baseModel: string;
  readonly nonce: string;
  readonly contentHash: string;
  readonly bytes: number;
};

export type ModelRow = {
  readonly orgId: string;
  readonly runId: string;
  readonly version: number;
  readonly hash: string;
  readonly parentHash: string | null;
  readonly round: number;
};

/** A change of state. A batch of them and its journal rows are written in one durable transaction. */
export type Change =
  | { readonly kind: 'invite'; readonly invitation: Invitation }
  | { readonly kind: 'enrol'; readonly tokenHash: string; readonly device: Device }
  | { readonly kind: 'device-status'; readonly deviceId: string; readonly status: DeviceStatus }
  | { readonly kind: 'device-key'; readonly deviceId: string; readonly publicKey: string }
  | { readonly kind: 'accept'; readonly envelope: AcceptedEnvelope }
  | { readonly kind: 'model'; readonly model: ModelRow }
  | { readonly kind: 'ledger'; readonly entry: LedgerEntry };

/** A change that the state does not allow: a spent token, an envelope accepted before. Nothing was written. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

/** Durable state of one run. One writer at a time; a commit that returned survives a power cut. */
export type Store = {
  commit(changes: readonly Change[], rows: readonly JournalRow[]): Promise<void>;
  invitation(tokenHash: string): Promise<Invitation | undefined>;
  invitations(): Promise<readonly Invitation[]>;
  devices(): Promise<readonly Device[]>;
  models(): Promise<readonly ModelRow[]>;
  accepted(round: number, phaseId: string): Promise<readonly AcceptedEnvelope[]>;
  /** Rows from a sequence number on, in order. */
  journal(fromSequence: number): Promise<readonly JournalRow[]>;
  /** The organisation's ledger entries, of all subjects and runs: subject by subject, oldest first. */
  ledger(): Promise<readonly LedgerEntry[]>;
  /** Throws when the store cannot be written. */
  check(): Promise<void>;
  close(): Promise<void>;
};
