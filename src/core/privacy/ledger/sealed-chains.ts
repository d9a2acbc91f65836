import type { LedgerChain } from './chain.ts';

/**
 * Where single chains stood when the log sealed them: entries, and the start of the last one's hash. A chain is named by the
 * start of its first entry's hash, so that a log names nobody.
 */
export type SealedChains = Readonly<Record<string, readonly [entries: number, hash: string]>>;

/** A chain by the hashes of its entries. */
export type ChainHashes = readonly string[];

/** 64 bits: what the seal's digest says of all chains together is said in full. */
const DIGITS = 16;

/** The chains that have grown since they were sealed last. */
export function chainsToSeal(ledger: ReadonlyMap<string, LedgerChain>, sealed: SealedChains = {}): SealedChains {
  const grown = [...ledger.values()].flatMap((chain) => {
    const [first, last] = [chain[0], chain.at(-1)];
    if (first === undefined || last === undefined) return [];
    const name = first.hash.slice(0, DIGITS);
    return sealed[name]?.[0] === chain.length ? [] : [[name, [chain.length, last.hash.slice(0, DIGITS)]] as const];
  });
  return Object.fromEntries(grown.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The first chain that does not hold what was sealed of it.
 *
 * Needs:    chains whose entries follow from each other: then one equal hash means that everything before it is equal too.
 * Promises: undefined only where every sealed chain is there and holds the sealed entry where it stood, however much it has
 *           grown since.
 */
export function brokenSeal(
  chains: Iterable<ChainHashes>,
  sealed: SealedChains,
): { readonly chain: string; readonly entries: number; readonly held: number } | undefined {
  const byName = new Map([...chains].map((hashes) => [hashes[0]?.slice(0, DIGITS), hashes]));
  for (const [chain, [entries, hash]] of Object.entries(sealed)) {
    const hashes = byName.get(chain) ?? [];
    if (hashes[entries - 1]?.slice(0, DIGITS) !== hash) return { chain, entries, held: hashes.length };
  }
  return undefined;
}

/** The first chain that a later seal has shorter, or otherwise at the same length, than an earlier one. */
export function rewoundSeal(before: SealedChains, after: SealedChains): string | undefined {
  return Object.keys(after).find((chain) => {
    const [was, is] = [before[chain], after[chain]!];
    return was !== undefined && (is[0] < was[0] || (is[0] === was[0] && is[1] !== was[1]));
  });
}

/** The hashes of a chain's entries. */
export function hashesOf(chain: LedgerChain): ChainHashes {
  return chain.map(({ hash }) => hash);
}
