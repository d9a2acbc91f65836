import type { Entropy } from '../../ports/entropy.ts';

/**
 * The bytes that clients of a world drew for their own noise, so that a check can draw the same. A client that was killed
 * may have noised an update twice: each time is a candidate for what was accepted.
 */
export type NoiseRecord = {
  /** The same entropy, remembered. */
  of(clientId: string, entropy: Entropy): Entropy;
  /** What this client draws from here on is for a new update of the round. */
  begin(round: number, clientId: string): void;
  /** For each time that the client has begun: the same bytes again. */
  replays(round: number, clientId: string): readonly Entropy[];
};

const roundsKept = 3;

export function createNoiseRecord(): NoiseRecord {
  const drawn = new Map<string, { readonly round: number; readonly parts: Uint8Array[] }[]>();
  return {
    of: (clientId, entropy) => ({
      ...entropy,
      fillBytes(target) {
        entropy.fillBytes(target);
        drawn.get(clientId)?.at(-1)?.parts.push(target.slice());
      },
    }),
    begin(round, clientId) {
      const kept = (drawn.get(clientId) ?? []).filter((one) => one.round > round - roundsKept);
      drawn.set(clientId, [...kept, { round, parts: [] }]);
    },
    replays: (round, clientId) =>
      (drawn.get(clientId) ?? []).filter((one) => one.round === round).map(({ parts }) => replayed(parts)),
  };
}

function replayed(parts: readonly Uint8Array[]): Entropy {
  let next = 0;
  return {
    purpose: 'secret',
    isSimulated: true,
    fillBytes: (target) => target.set(parts[next++] ?? new Uint8Array(target.length)),
  };
}
