import { SelfTestError } from '../primitives/self-test.ts';
import { RefusedError, TrainerError, VersionError } from '../client/ends.ts';
import { LinkError } from '../client/link.ts';
import { PlanError } from '../core/plan/plan.ts';
import { AnchorError } from '../ports/authority.ts';
import { DamagedError } from '../ports/damage.ts';
import { KmsError } from '../ports/kms.ts';
import { TransportError } from '../ports/transport.ts';

/** What the process ends with. Settled: other programs rely on them. */
export const exitCodes = { ok: 0, plan: 2, network: 3, storage: 4, security: 5, bug: 70 } as const;

/** A failure that a person can do something about: one sentence and an exit code. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(kind: keyof typeof exitCodes, message: string) {
    super(message);
    this.exitCode = exitCodes[kind];
  }
}

const networkCodes = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'ECONNREFUSED', 'ENOTFOUND']);

/** What the file system wishes, by its error code: the end of "Cannot use PATH as …". */
const fileWishes: Readonly<Record<string, string>> = {
  ENOENT: 'it must exist: there is no such file or folder',
  ENOTDIR: 'it must be in a folder: part of its path is a file',
  EISDIR: 'it must be a file: it is a folder',
  EACCES: 'this user must have the right to it: the system refuses',
  EPERM: 'this user must have the right to it: the system refuses',
  EROFS: 'its file system must be writable: it is read-only',
  ENOSPC: 'its disk must have free space: none is left',
  EDQUOT: 'this user must have free quota: none is left',
  EIO: 'its disk must work: it reports an input/output error',
};

/** What SQLite wishes, by its primary result code. */
const databaseWishes: Readonly<Record<number, string>> = {
  5: 'no other process may hold it: one does',
  8: 'its file system must be writable: it is read-only',
  10: 'its disk must work: it reports an input/output error',
  11: 'it must be whole: it is damaged',
  13: 'its disk must have free space: none is left',
  14: 'it must be there and open to this user: it cannot be opened',
  26: 'it must be a database: it is another file',
};

/**
 * What is wrong with a file or database, as a sentence; undefined for an error of another kind. `where` names the
 * folder where the error does not say its path.
 */
export function explainStorage(error: unknown, where?: string): string | undefined {
  const { code, path, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') {
    const wish = databaseWishes[(errcode ?? 0) & 0xff] ?? `the database must work: ${message}`;
    return `Cannot use the database${where === undefined ? '' : ` in ${where}`} as ${wish}`;
  }
  const wish = code === undefined ? undefined : fileWishes[code];
  if (wish === undefined) return undefined;
  return `Cannot use ${path ?? where ?? 'a file'} as ${wish} (${code})`;
}

/** Turns whatever was thrown into one sentence and an exit code. */
export function explainFailure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof Failure) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof PlanError || error instanceof LinkError) {
    return { message: error.message, exitCode: exitCodes.plan };
  }
  if (
    error instanceof RefusedError ||
    error instanceof SelfTestError ||
    error instanceof KmsError ||
    error instanceof AnchorError
  ) {
    return { message: error.message, exitCode: exitCodes.security };
  }
  if (error instanceof VersionError) return { message: error.message, exitCode: exitCodes.network };
  if (error instanceof TrainerError) return { message: error.message, exitCode: exitCodes.plan };
  if (error instanceof TransportError) return { message: error.message, exitCode: exitCodes[error.kind] };
  if (error instanceof DamagedError) return { message: error.message, exitCode: exitCodes.storage };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && networkCodes.has(code)) return { message, exitCode: exitCodes.network };
  const storage = explainStorage(error);
  if (storage !== undefined) return { message: storage, exitCode: exitCodes.storage };
  if (error instanceof RangeError) return { message, exitCode: exitCodes.plan };
  return { message: `This is a bug of QFLARE: ${(error as Error)?.stack ?? String(error)}`, exitCode: exitCodes.bug };
}
