import { DatabaseSync } from 'node:sqlite';

const busy = 5;

/**
 * Takes a lock that only one process can hold, or gives undefined where another holds it. The kernel releases it with
 * the process, however that ends: no process id is trusted, and none can be reused into a lock.
 *
 * An exclusive transaction of an empty SQLite file; the file stays, since removing one that others wait for would let
 * two of them in.
 */
export function takeFileLock(path: string): { release(): void } | undefined {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode === busy) return undefined;
    throw error;
  }
  return { release: () => db.close() };
}
