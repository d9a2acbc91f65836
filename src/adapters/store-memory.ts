import { followsHead, type LedgerEntry } from '../core/privacy/ledger/chain.ts';
import {
  type AcceptedEnvelope,
  type Change,
  ConflictError,
  type Device,
  type Invitation,
  type JournalRow,
  type ModelRow,
  type Store,
} from '../ports/store.ts';

type State = {
  readonly invitations: Map<string, Invitation>;
  readonly devices: Map<string, Device>;
  /** By round and phase, and the two keys under which an envelope is unique. */
  readonly accepted: Map<string, AcceptedEnvelope[]>;
  readonly acceptedKeys: Set<string>;
  readonly models: ModelRow[];
  readonly journal: JournalRow[];
  readonly ledger: MemoryLedger;
};

/** Entries by subject. Stores that share one are runs of one organisation. */
export type MemoryLedger = Map<string, LedgerEntry[]>;

/** How to take a change back: what a transaction that fails half-way does. */
type Undo = () => void;

/** The state of one run in memory, for simulated worlds: it outlives a simulated crash of the coordinator. */
export function createMemoryStore(ledger: MemoryLedger = new Map()): Store {
  const state: State = {
    invitations: new Map(),
    devices: new Map(),
    accepted: new Map(),
    acceptedKeys: new Set(),
    models: [],
    journal: [],
    ledger,
  };

  return {
    async commit(changes, journal) {
      const gap = journal.findIndex((row, i) => row.entry.sequence !== state.journal.length + i);
      if (gap !== -1) {
        throw new ConflictError(
          `journal sequence ${journal[gap]!.entry.sequence} where ${state.journal.length + gap} is next`,
        );
      }
      const undo: Undo[] = [];
      try {
        for (const change of changes) undo.push(write(state, change));
      } catch (error) {
        for (const takeBack of undo.toReversed()) takeBack();
        throw error;
      }
      state.journal.push(...journal);
    },
    invitation: async (tokenHash) => state.invitations.get(tokenHash),
    invitations: async () => [...state.invitations.values()],
    devices: async () =>
      [...state.devices.values()].sort((a, b) => compare(a.clientId, b.clientId) || compare(a.deviceId, b.deviceId)),
    models: async () => [...state.models],
    accepted: async (round, phaseId) =>
      [...(state.accepted.get(`${round}/${phaseId}`) ?? [])].sort((a, b) => compare(a.deviceId, b.deviceId)),
    journal: async (fromSequence) => state.journal.slice(fromSequence),
    ledger: async () => [...state.ledger.keys()].sort(compare).flatMap((subject) => state.ledger.get(subject)!),
    check: async () => {},
    close: async () => {},
  };
}

function write(state: State, change: Change): Undo {
  switch (change.kind) {
    case 'invite':
      if (state.invitations.has(change.invitation.tokenHash)) throw new ConflictError('the token exists');
      return put(state.invitations, change.invitation.tokenHash, change.invitation);
    case 'enrol': {
      const invitation = state.invitations.get(change.tokenHash);
      if (invitation === undefined || invitation.spentBy !== undefined) {
        throw new ConflictError('the token is spent or unknown');
      }
      if (state.devices.has(change.device.deviceId)) throw new ConflictError('the device exists');
      const undoDevice = put(state.devices, change.device.deviceId, change.device);
      const spent = { ...invitation, spentBy: change.device.deviceId };
      const undoInvitation = put(state.invitations, change.tokenHash, spent);
      return () => {
        undoInvitation();
        undoDevice();
      };
    }
    case 'device-status': {
      const device = state.devices.get(change.deviceId);
      if (device === undefined) throw new ConflictError(`there is no device ${change.deviceId}`);
      return put(state.devices, change.deviceId, { ...device, status: change.status });
    }
    case 'device-key': {
      const device = state.devices.get(change.deviceId);
      if (device === undefined) throw new ConflictError(`there is no device ${change.deviceId}`);
      return put(state.devices, change.deviceId, { ...device, publicKey: change.publicKey });
    }
    case 'accept':
      return accept(state, change.envelope);
    case 'model':
      if (state.models.some((row) => row.version === change.model.version)) {
        throw new ConflictError(`model version ${change.model.version} exists`);
      }
      state.models.push(change.model);
      return () => state.models.pop();
    case 'ledger':
      return append(state.ledger, change.entry);
  }
}

function append(ledger: MemoryLedger, entry: LedgerEntry): Undo {
  const { subject } = entry.event;
  const chain = ledger.get(subject) ?? [];
  if (!followsHead(entry, chain.at(-1)?.hash)) throw new ConflictError(`the ledger of ${subject} has moved on`);
  ledger.set(subject, chain);
  chain.push(entry);
  return () => chain.pop();
}

function accept({ accepted, acceptedKeys }: State, envelope: AcceptedEnvelope): Undo {
  const { round, phaseId, deviceId, baseModel, nonce } = envelope;
  const keys = [`phase/${round}/${phaseId}/${deviceId}`, `nonce/${baseModel}/${deviceId}/${nonce}`];
  if (keys.some((key) => acceptedKeys.has(key))) {
    throw new ConflictError('the envelope of this device was accepted before');
  }
  const place = `${round}/${phaseId}`;
  const rows = accepted.get(place) ?? [];
  accepted.set(place, rows);
  rows.push(envelope);
  for (const key of keys) acceptedKeys.add(key);
  return () => {
    rows.pop();
    for (const key of keys) acceptedKeys.delete(key);
  };
}

function put<V>(map: Map<string, V>, key: string, value: V): Undo {
  const before = map.get(key);
  map.set(key, value);
  return () => {
    if (before === undefined) map.delete(key);
    else map.set(key, before);
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
