import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type Json } from '../../protocol/canonical-json.ts';
import type { LedgerChain } from './chain.ts';
import type { SealedChains } from './sealed-chains.ts';

/** How far a subject's chain had come: kept where no backup of the ledger is, it shows a ledger that went back. */
export type LedgerHead = { readonly entries: number; readonly hash: string };

/** A subject whose chain does not hold an entry that it once held. */
export type Rewound = { readonly subject: string; readonly known: number; readonly held: number };

/** The last entry of each chain. */
export function ledgerHeads(ledger: ReadonlyMap<string, LedgerChain>): Readonly<Record<string, LedgerHead>> {
  const heads = [...ledger].flatMap(([subject, chain]) => {
    const last = chain.at(-1);
    return last === undefined ? [] : [[subject, { entries: chain.length, hash: last.hash }] as const];
  });
  return Object.fromEntries(heads.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The first subject whose chain is shorter than a head, or has another entry there.
 *
 * Needs:    chains whose entries follow from each other (`firstBrokenEntry`): then one equal hash means that everything
 *           before it is equal too.
 * Promises: undefined only where every head is in its chain, so that nothing the heads knew of is forgotten.
 */
export function rewoundSubject(
  ledger: ReadonlyMap<string, LedgerChain>,
  heads: Readonly<Record<string, LedgerHead>>,
): Rewound | undefined {
  for (const [subject, { entries, hash }] of Object.entries(heads)) {
    const chain = ledger.get(subject) ?? [];
    if (chain[entries - 1]?.hash !== hash) return { subject, known: entries, held: chain.length };
  }
  return undefined;
}

/** What a signed tree head of the log says of a ledger: how long it was, and a hash of where each chain stood. */
export type LedgerSeal = {
  readonly subjects: number;
  readonly entries: number;
  readonly digest: string;
  /** Where single chains stood that had grown since the seal before; left out by logs of older versions. */
  readonly chains?: SealedChains;
};

/**
 * The seal of a ledger's heads.
 *
 * Formula:  digest = SHA-256("qflare/ledger-heads/v1\n" ‖ canonical JSON of the heads by subject).
 * Promises: an intact ledger only grows, so a smaller count of subjects or entries means that it was reset or cut; equal
 *           counts with another digest mean that it was exchanged.
 */
export function ledgerSeal(heads: Readonly<Record<string, LedgerHead>>): LedgerSeal {
  const all = Object.values(heads);
  const text = `qflare/ledger-heads/v1\n${canonicalJson(heads as unknown as Json)}`;
  return {
    subjects: all.length,
    entries: all.reduce((sum, { entries }) => sum + entries, 0),
    digest: bytesToHex(sha256(utf8ToBytes(text))),
  };
}

/** Whether a ledger with this seal cannot have grown out of the one that was sealed before. */
export function isBehind(seal: LedgerSeal, before: LedgerSeal): boolean {
  if (seal.entries < before.entries || seal.subjects < before.subjects) return true;
  return seal.entries === before.entries && seal.digest !== before.digest;
}
