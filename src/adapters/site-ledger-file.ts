import { constants } from 'node:fs';
import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteEvent, SiteLedger } from '../core/privacy/local/site-ledger.ts';
import type { LedgerEntry } from '../core/privacy/ledger/chain.ts';
import { syncFolder } from '../primitives/synced-file.ts';
import type { SiteLedgerStore } from '../ports/site-ledger.ts';

/** The file's name in a site's state folder. */
export const siteLedgerFile = 'privacy-ledger.jsonl';

/**
 * A site's privacy ledger as a file of mode 0600, an entry a line, written to at its end alone and synced.
 *
 * Needs: one writer, as under the folder's lock. A last line that has no end was never on disk as far as anybody was told:
 *        it is cut away.
 */
export function createFileSiteLedger(folder: string): SiteLedgerStore {
  const path = join(folder, siteLedgerFile);
  return {
    async load() {
      const { entries, bytes, isTorn } = await readSiteLedger(folder);
      if (isTorn) await truncate(path, bytes);
      return entries;
    },
    async append(entries) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(path, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600);
      try {
        const isNew = (await file.stat()).size === 0;
        await file.writeFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
        await file.sync();
        if (isNew) await syncFolder(folder);
      } finally {
        await file.close();
      }
    },
  };
}

/** Reads a ledger without touching it: its whole lines, their bytes, and whether a torn one follows. */
export async function readSiteLedger(
  folder: string,
): Promise<{ readonly entries: SiteLedger; readonly bytes: number; readonly isTorn: boolean }> {
  const text = await readFile(join(folder, siteLedgerFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const entries = whole.split('\n').slice(0, -1).map(entryOf);
  return { entries, bytes: Buffer.byteLength(whole), isTorn: whole.length < text.length };
}

/** A line that is no entry is none that was ever written: it breaks the chain where it stands. */
function entryOf(line: string): LedgerEntry<SiteEvent> {
  try {
    return JSON.parse(line) as LedgerEntry<SiteEvent>;
  } catch {
    return { version: 1, index: -1, previous: '', event: {} as SiteEvent, hash: '' };
  }
}
