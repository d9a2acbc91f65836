import { SelfTestError } from '../adapters/crypto-node/self-test.ts';
import { LinkError } from '../client/link.ts';
import { RefusedError } from '../client/enrol.ts';
import { PlanError } from '../core/plan/plan.ts';
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

const storageCodes = new Set(['ENOSPC', 'EROFS', 'EACCES', 'EDQUOT', 'EIO', 'ERR_SQLITE_ERROR']);
const networkCodes = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'ECONNREFUSED', 'ENOTFOUND']);

/** Turns whatever was thrown into one sentence and an exit code. */
export function explainFailure(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof Failure) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof PlanError || error instanceof LinkError) {
    return { message: error.message, exitCode: exitCodes.plan };
  }
  if (error instanceof RefusedError || error instanceof SelfTestError) {
    return { message: error.message, exitCode: exitCodes.security };
  }
  if (error instanceof TransportError) return { message: error.message, exitCode: exitCodes[error.kind] };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && networkCodes.has(code)) return { message, exitCode: exitCodes.network };
  if (code !== undefined && storageCodes.has(code)) {
    return {
      message: `Cannot write the state: ${message}. Nothing that was acknowledged is lost.`,
      exitCode: exitCodes.storage,
    };
  }
  if (error instanceof RangeError) return { message, exitCode: exitCodes.plan };
  return { message: `This is a bug of QFLARE: ${(error as Error)?.stack ?? String(error)}`, exitCode: exitCodes.bug };
}
