import type { JournalEntry } from '../../ports/store.ts';

/** What the journal says of a run under DP-FTRL. A leaf is a release, counted from 0. */
export type FtrlState = {
  /** The file of the sums that the next leaf needs; null before the first and after the last. */
  readonly sums: string | null;
  /** The leaves that each client was invited to: who is charged. */
  readonly leaves: Readonly<Record<string, readonly number[]>>;
  /** Noise that is stored for a round, and from which source it is. */
  readonly drawn: { readonly round: number; readonly noise: string; readonly source: 'secret' | 'simulated' } | null;
  /** Files that no later round needs. */
  readonly spent: readonly string[];
};

type Holding = { readonly released: number; readonly ftrl?: FtrlState };

const none: FtrlState = { sums: null, leaves: {}, drawn: null, spent: [] };

/** Noise was stored for a round: from here on no other is drawn for it. */
export function withDrawn<State extends Holding>(privacy: State, round: number, data: JournalEntry['data']): State {
  const { ftrl = none } = privacy;
  const drawn = { round, noise: data['noise'] as string, source: data['source'] as 'secret' | 'simulated' };
  // What was drawn for a round that then released nothing is of no use to another.
  const spent = ftrl.drawn === null ? [] : [ftrl.drawn.noise];
  return { ...privacy, ftrl: { ...ftrl, drawn, spent: [...ftrl.spent, ...spent] } };
}

/** A leaf was released: its participants have been in it, its noise and the sums before it are spent. */
export function withLeaf(
  { ftrl, released }: Holding,
  participants: readonly string[],
  sums: string | null | undefined,
): { readonly ftrl?: FtrlState } {
  if (ftrl === undefined || sums === undefined) return {};
  const joined = participants.map((clientId) => [clientId, [...(ftrl.leaves[clientId] ?? []), released]] as const);
  const spent = [ftrl.drawn?.noise, ftrl.sums].filter((file) => file !== null && file !== undefined);
  return { ftrl: { sums, leaves: { ...ftrl.leaves, ...Object.fromEntries(joined) }, drawn: null, spent } };
}
