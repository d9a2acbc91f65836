import { isBehind, type LedgerHead, type LedgerSeal, ledgerSeal } from '../privacy/ledger/heads.ts';
import type { AuditedEntry, Finding } from './verify-journal.ts';

/**
 * What a log says of its privacy ledger, entry by entry: it may only grow.
 *
 * Promises: never throws; a seal that cannot follow from the one before is named. With the heads of the ledger as it is now,
 *           one that is behind the newest seal is found too.
 */
export function verifyLedgerSeals(
  entries: readonly AuditedEntry[],
  heads: Readonly<Record<string, LedgerHead>> | undefined,
): { readonly newest: LedgerSeal | null; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  let newest: LedgerSeal | null = null;
  for (const { sequence, kind, data } of entries) {
    if (kind !== 'ledger.sealed') continue;
    const seal = data as unknown as LedgerSeal;
    if (newest !== null && isBehind(seal, newest)) {
      const problem = `seals a privacy ledger of ${seal.entries} entries, after one of ${newest.entries}: it was reset`;
      findings.push({ file: 'journal.jsonl', entry: sequence, problem });
    }
    newest = seal;
  }
  const now = heads === undefined ? undefined : ledgerSeal(heads);
  if (now !== undefined && newest !== null && isBehind(now, newest)) {
    const problem = `is behind what the log has sealed: ${now.entries} entries of ${now.subjects} clients, sealed were ${newest.entries} of ${newest.subjects}`;
    findings.push({ file: 'the privacy ledger', entry: null, problem });
  }
  return { newest, findings };
}
