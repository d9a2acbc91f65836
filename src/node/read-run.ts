import { createFileBlobs } from '../adapters/blobs-files.ts';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { createSqliteStore } from '../adapters/store-sqlite.ts';
import { createSystemClock } from '../adapters/clock-system.ts';
import { createRunLog } from '../coordinator/run-log.ts';
import { runRecordOf } from '../coordinator/run-record.ts';
import type { LedgerChain } from '../core/privacy/ledger/chain.ts';
import { leafHash } from '../core/protocol/merkle.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { RunRecord } from '../core/round/run-record.ts';
import type { AtRest } from '../ports/at-rest.ts';
import { DamagedError } from '../ports/damage.ts';
import type { JournalRow } from '../ports/store.ts';

/**
 * Reads a run back from a coordinator's folder, whether it is served or not.
 *
 * Errors: DamagedError that names the entry when a journal row does not match its leaf hash.
 */
export async function readRun(
  files: { readonly database: string; readonly blobs: string },
  plan: Plan,
  settings: { readonly orgId: string; readonly runId: string; readonly ledger?: string | undefined },
  /** Opens model and card, which lie sealed; without it they are left out. */
  atRest?: AtRest,
): Promise<{
  readonly record: RunRecord;
  readonly journal: readonly JournalRow[];
  /** By subject; empty unless the plan asks for central privacy. */
  readonly ledger: ReadonlyMap<string, LedgerChain>;
  readonly model: Uint8Array | undefined;
  /** The signed card of that model. */
  readonly card: Uint8Array | undefined;
}> {
  const crypto = createNodeCrypto();
  const { orgId, runId } = settings;
  const store = createSqliteStore(files.database, settings);
  try {
    const journal = await store.journal(0);
    for (const { text, leafHash: wanted, entry } of journal) {
      if (leafHash(new TextEncoder().encode(text), crypto.sha256).toHex() !== wanted) {
        throw new DamagedError(
          `Cannot trust the journal in ${files.database} as entry ${entry.sequence} must match its hash: it was changed`,
        );
      }
    }
    const log = createRunLog({ store, clock: createSystemClock(), crypto, orgId, runId, onFailure: () => undefined });
    await log.load();
    if (plan.privacy.mode === 'central') await log.loadLedger();
    const snapshot = log.snapshot();
    const newest = snapshot.models.at(-1);
    const blobs = atRest && createFileBlobs(files.blobs, atRest);
    const card = newest && snapshot.run.cards[newest.hash];
    return {
      record: runRecordOf(snapshot, { ...settings, plan }, snapshot.run.seconds),
      journal,
      ledger: snapshot.ledger,
      model: newest && (await blobs?.get(newest.hash)),
      card: card === undefined ? undefined : await blobs?.get(card),
    };
  } finally {
    await store.close();
  }
}
