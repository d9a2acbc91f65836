import { decodeVectors, encodeVectors, type Vectors } from '../vectors.ts';

/**
 * What a client keeps from round to round. What a round would make of it counts only once the round's update has: a
 * control variate that the server never heard of would be another one than the server's.
 */
export type Kept = {
  /** As of the last round that counted; undefined before the first. */
  readonly settled: Vectors | undefined;
  /** What the last round makes of it, if its update is part of a published model. */
  readonly pending: { readonly round: number; readonly vectors: Vectors } | null;
};

export const nothingKept: Kept = { settled: undefined, pending: null };

/**
 * What is kept, once it is known up to which round this client's updates have counted.
 *
 * Promises: in the pending round itself nothing is decided yet: the same training is done again from the same state.
 */
export function settle(kept: Kept, { round, counted }: { readonly round: number; readonly counted: number }): Kept {
  const { pending } = kept;
  if (pending === null) return kept;
  if (counted >= pending.round) return { settled: pending.vectors, pending: null };
  return pending.round === round ? kept : { settled: kept.settled, pending: null };
}

const roundKey = 'qflare.pending';

/** One safetensors file with a prefix for each of the two states. */
export function encodeKept({ settled, pending }: Kept): Uint8Array {
  const named = (prefix: string, vectors: Vectors) =>
    Object.entries(vectors).map(([name, vector]) => [`${prefix}.${name}`, vector] as const);
  const vectors = [...named('settled', settled ?? {}), ...named('pending', pending?.vectors ?? {})];
  return encodeVectors(Object.fromEntries(vectors), pending === null ? {} : { [roundKey]: String(pending.round) });
}

/** Reads a file that `encodeKept` wrote. Errors: RangeError that says what is wrong with it. */
export function decodeKept(bytes: Uint8Array): Kept {
  const { vectors, metadata } = decodeVectors(bytes);
  const under = (prefix: string): Vectors =>
    Object.fromEntries(
      Object.entries(vectors)
        .filter(([name]) => name.startsWith(`${prefix}.`))
        .map(([name, vector]) => [name.slice(prefix.length + 1), vector]),
    );
  const settled = under('settled');
  const round = Number(metadata[roundKey] ?? 0);
  return {
    settled: Object.keys(settled).length === 0 ? undefined : settled,
    pending: round > 0 ? { round, vectors: under('pending') } : null,
  };
}
