import type { Rng } from '../../src/core/random/rng.ts';

type Mutation = (bytes: Uint8Array, other: Uint8Array, rng: Rng) => Uint8Array;

/** The first bytes hold the header, whose fields are looked at first: half of all changes go there. */
function place(bytes: Uint8Array, rng: Rng): number {
  return rng.below(rng.below(2) === 0 ? Math.min(200, bytes.length) : bytes.length);
}

function randomBytes(count: number, rng: Rng): Uint8Array {
  return Uint8Array.from({ length: count }, () => rng.below(256));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Ways to change an envelope without its keys. `other` is another envelope of the same round. */
export const mutations = {
  flipBits(bytes, _other, rng) {
    const changed = Uint8Array.from(bytes);
    for (let i = 0; i <= rng.below(4); i++) changed[place(bytes, rng)]! ^= 1 << rng.below(8);
    return changed;
  },
  overwriteByte(bytes, _other, rng) {
    const changed = Uint8Array.from(bytes);
    changed[place(bytes, rng)] = [0, 1, 127, 128, 255][rng.below(5)]!;
    return changed;
  },
  truncate: (bytes, _other, rng) => bytes.subarray(0, place(bytes, rng)),
  extend: (bytes, _other, rng) => join(bytes, randomBytes(1 + rng.below(40), rng)),
  splice(bytes, other, rng) {
    const cut = place(bytes, rng);
    return join(bytes.subarray(0, cut), other.subarray(Math.min(cut, other.length)));
  },
  transplant(bytes, other, rng) {
    const changed = Uint8Array.from(bytes);
    const start = place(bytes, rng);
    changed.set(other.subarray(start, Math.min(start + 1 + rng.below(64), other.length, bytes.length)), start);
    return changed;
  },
  remove(bytes, _other, rng) {
    const start = place(bytes, rng);
    return join(bytes.subarray(0, start), bytes.subarray(start + 1 + rng.below(40)));
  },
  insert(bytes, _other, rng) {
    const start = place(bytes, rng);
    return join(bytes.subarray(0, start), randomBytes(1 + rng.below(40), rng), bytes.subarray(start));
  },
  repeat: (bytes) => join(bytes, bytes),
  swapHalves: (bytes, _other, rng) => {
    const cut = place(bytes, rng);
    return join(bytes.subarray(cut), bytes.subarray(0, cut));
  },
  random: (bytes, _other, rng) => randomBytes(rng.below(2) === 0 ? rng.below(300) : bytes.length, rng),
  giantLength(bytes, _other, rng) {
    const changed = Uint8Array.from(bytes);
    const value = [0xffffffff, 0x80000000, 0x7fffffff, 0x00100001, 0][rng.below(5)]!;
    new DataView(changed.buffer).setUint32(Math.min(place(bytes, rng), bytes.length - 4), value);
    return changed;
  },
  /** Another name of the same length: organisation, run or device. */
  otherName(bytes, _other, rng) {
    const changed = Uint8Array.from(bytes);
    const names: number[] = [];
    for (let text = 0, at = 8; text < 3; text++) {
      const length = changed[at] ?? 0;
      for (let i = 1; i <= length && at + i < changed.length; i++) names.push(at + i);
      at += 1 + length;
    }
    // Bytes that are no envelope may have no names.
    const index = names.length === 0 ? undefined : names[rng.below(names.length)];
    if (index === undefined) return changed;
    changed[index] = changed[index] === 0x7a ? 0x61 : 0x7a;
    return changed;
  },
  giantText(bytes, _other, rng) {
    const changed = Uint8Array.from(bytes);
    // Behind magic, version, kind, suite and codec the first text begins.
    changed[8] = 200 + rng.below(56);
    return changed;
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;
