import { isBehind, type LedgerHead, type LedgerSeal, ledgerSeal } from '../privacy/ledger/heads.ts';
import { brokenSeal, type ChainHashes, rewoundSeal, type SealedChains } from '../privacy/ledger/sealed-chains.ts';
import type { AuditedEntry, Finding } from './verify-journal.ts';

/** The ledger as it is now: the last entry of each chain, or the hashes of all its entries. */
export type LedgerNow = {
  readonly heads?: Readonly<Record<string, LedgerHead>> | undefined;
  readonly chains?: Readonly<Record<string, ChainHashes>> | undefined;
};

/**
 * What a log says of its privacy ledger, entry by entry: it may only grow.
 *
 * Promises: never throws; a seal that cannot follow from the one before is named, chain by chain. With the heads of the ledger
 *           as it is now, one that is behind the newest seal is found too; with its chains, one that was reset and has grown since.
 */
export function verifyLedgerSeals(
  entries: readonly AuditedEntry[],
  now: LedgerNow = {},
): { readonly newest: LedgerSeal | null; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  let newest: LedgerSeal | null = null;
  let chains: SealedChains = {};
  for (const { sequence, kind, data } of entries) {
    if (kind !== 'ledger.sealed') continue;
    const seal = data as unknown as LedgerSeal;
    if (newest !== null && isBehind(seal, newest)) {
      const problem = `seals a privacy ledger of ${seal.entries} entries, after one of ${newest.entries}: it was reset`;
      findings.push({ file: 'journal.jsonl', entry: sequence, problem });
    }
    const rewound = rewoundSeal(chains, seal.chains ?? {});
    if (rewound !== undefined) {
      const problem = `seals chain ${rewound} of the privacy ledger behind where it stood: it was reset`;
      findings.push({ file: 'journal.jsonl', entry: sequence, problem });
    }
    chains = { ...chains, ...seal.chains };
    newest = { subjects: seal.subjects, entries: seal.entries, digest: seal.digest };
  }
  const held = now.heads === undefined ? undefined : ledgerSeal(now.heads);
  if (held !== undefined && newest !== null && isBehind(held, newest)) {
    const problem = `is behind what the log has sealed: ${held.entries} entries of ${held.subjects} clients, sealed were ${newest.entries} of ${newest.subjects}`;
    findings.push({ file: 'the privacy ledger', entry: null, problem });
  }
  const broken = now.chains === undefined ? undefined : brokenSeal(Object.values(now.chains), chains);
  if (broken !== undefined) {
    const problem = `chain ${broken.chain} does not hold the entry that the log has sealed as its ${broken.entries}th: it has ${broken.held}, and was reset or exchanged`;
    findings.push({ file: 'the privacy ledger', entry: null, problem });
  }
  return { newest, findings };
}
