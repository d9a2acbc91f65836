import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { backup, DatabaseSync } from 'node:sqlite';
import { createSqliteStore } from '../adapters/store-sqlite.ts';
import type { ArchiveFile } from '../core/archive/ustar.ts';
import { ledgerHeads, type Rewound, rewoundSubject } from '../core/privacy/ledger/heads.ts';
import type { LedgerChain } from '../core/privacy/ledger/chain.ts';
import { DamagedError } from '../ports/damage.ts';

/** Where a backup keeps a ledger that was in a file of its own. */
const ledgerName = 'ledger/ledger.db';

/** A database as of one moment, also while others write to it. */
export async function copyDatabase(path: string, scratch: string): Promise<Uint8Array> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    await backup(database, scratch);
    return await readFile(scratch);
  } finally {
    database.close();
    await rm(scratch, { force: true });
  }
}

/**
 * The ledger of its own as a file of a backup. Copied after the run's database, as a reservation is on disk before its round:
 * the copy holds whatever the run's copy rests on.
 */
export async function ledgerFile(folder: string, ledger: string): Promise<ArchiveFile> {
  if (!existsSync(ledger)) throw new DamagedError(`Cannot back up as the ledger ${ledger} must be there: it is gone`);
  const scratch = join(folder, 'state', `ledger.db.${process.pid}.part`);
  return { name: ledgerName, bytes: await copyDatabase(ledger, scratch) };
}

/** A backup without the ledger of its own, and that ledger. */
export function withoutLedger(opened: readonly ArchiveFile[]): {
  readonly files: readonly ArchiveFile[];
  readonly ledger: Uint8Array | undefined;
} {
  const ledger = opened.find(({ name }) => name === ledgerName)?.bytes;
  return { files: opened.filter(({ name }) => name !== ledgerName), ledger };
}

/** What became of the ledger in a backup; `rewound` where the one that is there lacks what the backup knew. */
export type AdoptedLedger =
  | { readonly kind: 'written' | 'kept' }
  | { readonly kind: 'rewound'; readonly found: Rewound };

/**
 * Puts the ledger of a backup where the run looks for it, where nothing is. One that is there stays, as other runs may have
 * gone on in it.
 */
export async function adoptLedger(
  bytes: Uint8Array,
  { path, orgId }: { readonly path: string; readonly orgId: string },
): Promise<AdoptedLedger> {
  if (!existsSync(path)) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600, flush: true });
    return { kind: 'written' };
  }
  const scratch = `${path}.${process.pid}.part`;
  await writeFile(scratch, bytes, { flag: 'wx', mode: 0o600 });
  try {
    const known = await chainsIn(scratch, orgId);
    const found = rewoundSubject(await chainsIn(path, orgId), ledgerHeads(known));
    return found === undefined ? { kind: 'kept' } : { kind: 'rewound', found };
  } finally {
    await rm(scratch, { force: true });
  }
}

async function chainsIn(path: string, orgId: string): Promise<ReadonlyMap<string, LedgerChain>> {
  const store = createSqliteStore(':memory:', { orgId, runId: 'backup', ledger: path });
  try {
    return Map.groupBy(await store.ledger(), ({ event }) => event.subject);
  } finally {
    await store.close();
  }
}
