import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { createLedgerTable } from './store-sqlite/ledger-table.ts';
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

const schema = `
  CREATE TABLE IF NOT EXISTS invitation (
    orgId TEXT NOT NULL, runId TEXT NOT NULL, tokenHash TEXT NOT NULL, subject TEXT NOT NULL,
    expiresAtMs INTEGER NOT NULL, spentBy TEXT,
    PRIMARY KEY (orgId, runId, tokenHash), UNIQUE (orgId, runId, subject, tokenHash)) STRICT;
  CREATE TABLE IF NOT EXISTS device (
    orgId TEXT NOT NULL, runId TEXT NOT NULL, deviceId TEXT NOT NULL, clientId TEXT NOT NULL, name TEXT NOT NULL,
    publicKey TEXT NOT NULL, status TEXT NOT NULL, enrolledAtMs INTEGER NOT NULL,
    PRIMARY KEY (orgId, runId, deviceId)) STRICT;
  CREATE TABLE IF NOT EXISTS accepted (
    orgId TEXT NOT NULL, runId TEXT NOT NULL, round INTEGER NOT NULL, phaseId TEXT NOT NULL, deviceId TEXT NOT NULL,
    baseModel TEXT NOT NULL, nonce TEXT NOT NULL, contentHash TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (orgId, runId, round, phaseId, deviceId), UNIQUE (orgId, runId, baseModel, deviceId, nonce)) STRICT;
  CREATE TABLE IF NOT EXISTS model (
    orgId TEXT NOT NULL, runId TEXT NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL, parentHash TEXT,
    round INTEGER NOT NULL, PRIMARY KEY (orgId, runId, version)) STRICT;
  CREATE TABLE IF NOT EXISTS journal (
    orgId TEXT NOT NULL, runId TEXT NOT NULL, sequence INTEGER NOT NULL, leafHash TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (orgId, runId, sequence)) STRICT;
  CREATE TABLE IF NOT EXISTS health (id INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
`;

/**
 * The state of one run in a SQLite file: WAL, full sync on every commit.
 *
 * With `ledger`, the privacy ledger is in that file, which runs of other folders may share. It is committed before the
 * rest: what a kill in between leaves is a reservation without a round, never a round without a reservation.
 */
export function createSqliteStore(
  path: string,
  run: { readonly orgId: string; readonly runId: string; readonly ledger?: string | undefined },
): Store {
  const db = openDatabase(path);
  db.exec(schema);
  const ledger = run.ledger === undefined ? db : openDatabase(run.ledger);
  const entries = createLedgerTable(ledger, run.orgId);
  const { orgId, runId } = run;

  function rows<T>(sql: string, ...values: SQLInputValue[]): readonly T[] {
    return db
      .prepare(sql)
      .all(orgId, runId, ...values)
      .map((row) => withoutNulls(row)) as T[];
  }

  const statements = {
    invite: db.prepare('INSERT INTO invitation VALUES (?, ?, ?, ?, ?, NULL)'),
    spend: db.prepare(
      'UPDATE invitation SET spentBy = ? WHERE orgId = ? AND runId = ? AND tokenHash = ? AND spentBy IS NULL',
    ),
    enrol: db.prepare('INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    status: db.prepare('UPDATE device SET status = ? WHERE orgId = ? AND runId = ? AND deviceId = ?'),
    key: db.prepare('UPDATE device SET publicKey = ? WHERE orgId = ? AND runId = ? AND deviceId = ?'),
    accept: db.prepare('INSERT INTO accepted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    model: db.prepare('INSERT INTO model VALUES (?, ?, ?, ?, ?, ?)'),
    next: db.prepare('SELECT COALESCE(MAX(sequence) + 1, 0) AS next FROM journal WHERE orgId = ? AND runId = ?'),
    journal: db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?)'),
  };

  function write(change: Change): void {
    switch (change.kind) {
      case 'invite': {
        const { tokenHash, subject, expiresAtMs } = change.invitation;
        statements.invite.run(orgId, runId, tokenHash, subject, expiresAtMs);
        return;
      }
      case 'enrol': {
        const { device, tokenHash } = change;
        const { changes } = statements.spend.run(device.deviceId, orgId, runId, tokenHash);
        if (Number(changes) !== 1) throw new ConflictError('the token is spent or unknown');
        const { deviceId, clientId, name, publicKey, status, enrolledAtMs } = device;
        statements.enrol.run(orgId, runId, deviceId, clientId, name, publicKey, status, enrolledAtMs);
        return;
      }
      case 'device-status': {
        const { changes } = statements.status.run(change.status, orgId, runId, change.deviceId);
        if (Number(changes) !== 1) throw new ConflictError(`there is no device ${change.deviceId}`);
        return;
      }
      case 'device-key': {
        const { changes } = statements.key.run(change.publicKey, orgId, runId, change.deviceId);
        if (Number(changes) !== 1) throw new ConflictError(`there is no device ${change.deviceId}`);
        return;
      }
      case 'accept': {
        const { round, phaseId, deviceId, baseModel, nonce, contentHash, bytes } = change.envelope;
        statements.accept.run(orgId, runId, round, phaseId, deviceId, baseModel, nonce, contentHash, bytes);
        return;
      }
      case 'model': {
        const { version, hash, parentHash, round } = change.model;
        statements.model.run(orgId, runId, version, hash, parentHash, round);
        return;
      }
      case 'ledger':
        entries.append(change.entry);
    }
  }

  return {
    async commit(changes, journal) {
      // A ledger of its own comes first in both: the transaction on it is the one that may stand without the other.
      const isApart = ledger !== db && changes.some(({ kind }) => kind === 'ledger');
      const open = isApart ? [ledger, db] : [db];
      try {
        for (const one of open) one.exec('BEGIN IMMEDIATE');
        for (const change of changes) write(change);
        const { next } = statements.next.get(orgId, runId) as { next: number };
        for (const [i, row] of journal.entries()) {
          if (row.entry.sequence !== next + i) {
            throw new ConflictError(`journal sequence ${row.entry.sequence} where ${next + i} is next`);
          }
          statements.journal.run(orgId, runId, row.entry.sequence, row.leafHash, row.text);
        }
        for (const one of open) one.exec('COMMIT');
      } catch (error) {
        // SQLite has rolled back by itself where the disk failed.
        for (const one of open) if (one.isTransaction) one.exec('ROLLBACK');
        throw isConstraint(error) ? new ConflictError((error as Error).message) : error;
      }
    },
    invitation: async (tokenHash) =>
      rows<Invitation>('SELECT * FROM invitation WHERE orgId = ? AND runId = ? AND tokenHash = ?', tokenHash)[0],
    invitations: async () => rows<Invitation>('SELECT * FROM invitation WHERE orgId = ? AND runId = ? ORDER BY rowid'),
    devices: async () => rows<Device>('SELECT * FROM device WHERE orgId = ? AND runId = ? ORDER BY clientId, deviceId'),
    models: async () =>
      rows<ModelRow>('SELECT * FROM model WHERE orgId = ? AND runId = ? ORDER BY version').map((row) => ({
        ...row,
        parentHash: row.parentHash ?? null,
      })),
    accepted: async (round, phaseId) =>
      rows<AcceptedEnvelope>(
        'SELECT * FROM accepted WHERE orgId = ? AND runId = ? AND round = ? AND phaseId = ? ORDER BY deviceId',
        round,
        phaseId,
      ),
    journal: async (fromSequence) =>
      rows<{ text: string; leafHash: string }>(
        'SELECT text, leafHash FROM journal WHERE orgId = ? AND runId = ? AND sequence >= ? ORDER BY sequence',
        fromSequence,
      ).map(({ text, leafHash }) => ({ entry: JSON.parse(text), text, leafHash }) as JournalRow),
    ledger: async () => entries.all(),
    async check() {
      db.exec(
        'BEGIN IMMEDIATE; INSERT INTO health VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1; COMMIT',
      );
    },
    async close() {
      db.close();
      if (ledger !== db) ledger.close();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
  return db;
}

function withoutNulls(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function isConstraint(error: unknown): boolean {
  return error instanceof Error && /constraint failed/.test(error.message);
}
