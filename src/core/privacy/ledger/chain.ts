import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** What a subject may lose. `plan`: by PLD, for parameters fixed beforehand; `filter`: by one Rényi order, whatever is chosen. */
export type Grant = {
  readonly kind: 'grant';
  readonly subject: string;
  readonly purpose: string;
  readonly epsilon: number;
  readonly delta: number;
  readonly rule: 'plan' | 'filter';
  /** The Rényi order of the filter, fixed with the grant. */
  readonly order: number;
};

/** Noisy steps that are about to happen. They count as spent from here on. */
export type Reservation = {
  readonly kind: 'reserve';
  readonly subject: string;
  readonly purpose: string;
  readonly run: string;
  readonly reservation: string;
  readonly noiseMultiplier: number;
  readonly sampleRate: number;
  readonly steps: number;
};

export type Commit = {
  readonly kind: 'commit';
  readonly subject: string;
  readonly reservation: string;
  /** Hash of the stored release. */
  readonly release: string;
};

/** Nothing was released, and nothing will be. */
export type Cancel = {
  readonly kind: 'cancel';
  readonly subject: string;
  readonly reservation: string;
  readonly reason: string;
};

export type LedgerEvent = Grant | Reservation | Commit | Cancel;

export type LedgerEntry<Event = LedgerEvent> = {
  readonly version: 1;
  readonly index: number;
  readonly previous: string;
  readonly event: Event;
  readonly hash: string;
};

/** One subject's entries, oldest first: of the coordinator's events, or of others (a site's own). */
export type Chain<Event> = readonly LedgerEntry<Event>[];
export type LedgerChain = Chain<LedgerEvent>;

const CHAIN_START = '0'.repeat(64);

/** The chain with one more entry. The old chain stays as it is. */
export function appendEvent<Event = LedgerEvent>(chain: Chain<Event>, event: NoInfer<Event>): Chain<Event> {
  const content = { version: 1 as const, index: chain.length, previous: chain.at(-1)?.hash ?? CHAIN_START, event };
  return [...chain, { ...content, hash: hashOf(content) }];
}

/** Whether an entry may be appended to a chain that ends with this hash (undefined: to an empty one). */
export function followsHead(entry: LedgerEntry<unknown>, head: string | undefined): boolean {
  return entry.previous === (head ?? CHAIN_START) && (entry.index === 0) === (head === undefined);
}

/**
 * The index of the first entry that does not follow from the one before, or undefined where the chain is intact.
 *
 * Promises: any change of a field, of the order, or of the middle is found. A cut at the end is found only against a hash
 *           that was noted elsewhere: pass it as `head`.
 */
export function firstBrokenEntry(chain: Chain<unknown>, head?: string): number | undefined {
  let previous = CHAIN_START;
  for (const [index, { hash, ...content }] of chain.entries()) {
    if (content.index !== index || content.previous !== previous || hashOf(content) !== hash) return index;
    previous = hash;
  }
  return head !== undefined && previous !== head ? chain.length : undefined;
}

function hashOf(content: Omit<LedgerEntry<unknown>, 'hash'>): string {
  return bytesToHex(sha256(utf8ToBytes(`qflare/ledger/v1\n${canonicalJson(content)}`)));
}

/** JSON with sorted keys (RFC 8785 for the strings and finite numbers that entries hold). */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
}
