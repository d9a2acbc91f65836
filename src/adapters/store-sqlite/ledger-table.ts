import type { DatabaseSync } from 'node:sqlite';
import { followsHead, type LedgerEntry } from '../../core/privacy/ledger/chain.ts';
import { ConflictError } from '../../ports/store.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS ledger (
    orgId TEXT NOT NULL, subject TEXT NOT NULL, place INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (orgId, subject, place)) STRICT;
`;

/** The privacy ledger as a table: appended to within the caller's transaction. */
export type LedgerTable = { append(entry: LedgerEntry): void; all(): readonly LedgerEntry[] };

export function createLedgerTable(db: DatabaseSync, orgId: string): LedgerTable {
  db.exec(schema);
  const headOf = db.prepare('SELECT hash FROM ledger WHERE orgId = ? AND subject = ? ORDER BY place DESC LIMIT 1');
  const insert = db.prepare('INSERT INTO ledger VALUES (?, ?, ?, ?, ?)');
  return {
    append(entry) {
      const { subject } = entry.event;
      const head = headOf.get(orgId, subject) as { hash: string } | undefined;
      // Another run may have written to the same subject: then the entry does not follow from its head any more.
      if (!followsHead(entry, head?.hash)) throw new ConflictError(`the ledger of ${subject} has moved on`);
      insert.run(orgId, subject, entry.index, entry.hash, JSON.stringify(entry));
    },
    all: () =>
      db
        .prepare('SELECT text FROM ledger WHERE orgId = ? ORDER BY subject, place')
        .all(orgId)
        .map((row) => JSON.parse(row['text'] as string) as LedgerEntry),
  };
}
