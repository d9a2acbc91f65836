import type { LedgerChain } from './chain.ts';

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
