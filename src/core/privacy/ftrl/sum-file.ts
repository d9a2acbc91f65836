import type { SumState } from './strategy.ts';

const SALT_BYTES = 32;

/** Noise that was drawn for a leaf, and the salts that keep the hashes of its file and of the state's from telling anything. */
export type DrawnNoise = {
  readonly noise: readonly Int32Array[];
  readonly salt: Uint8Array;
  /** Of the state after the leaf: drawn with the noise, so that a restart writes the same bytes. */
  readonly stateSalt: Uint8Array;
};

/**
 * The state between two leaves as bytes: length of the head, head as JSON, salt, then clean sum and estimate of each node.
 *
 * Needs:    a secret salt of 32 bytes: the file's hash is journaled, and clean sums are not for the journal's readers.
 * Promises: decodeSums(encodeSums(state)) is the state, bit for bit.
 */
export function encodeSums({ leaves, nodes }: SumState, dimension: number, salt: Uint8Array): Uint8Array {
  const head = { dimension, leaves, levels: nodes.map(({ level }) => level) };
  return joined(
    head,
    salt,
    nodes.flatMap(({ sum, estimate }) => [sum, estimate]),
  );
}

/** The state that `encodeSums` wrote. */
export function decodeSums(bytes: Uint8Array): SumState {
  const { head, body } = split(bytes);
  const { dimension, leaves, levels } = head as { dimension: number; leaves: number; levels: readonly number[] };
  const values = new Float64Array(Uint8Array.from(body.subarray(SALT_BYTES)).buffer);
  const vector = (i: number) => values.slice(i * dimension, (i + 1) * dimension);
  const nodes = levels.map((level, i) => ({ level, sum: vector(2 * i), estimate: vector(2 * i + 1) }));
  return { leaves, nodes };
}

/** Drawn noise as bytes: head, both salts, then each vector. */
export function encodeNoise({ noise, salt, stateSalt }: DrawnNoise): Uint8Array {
  return joined({ count: noise.length }, salt, [stateSalt, ...noise]);
}

/** The noise that `encodeNoise` wrote. */
export function decodeNoise(bytes: Uint8Array): DrawnNoise {
  const { head, body } = split(bytes);
  const { count } = head as { count: number };
  const values = new Int32Array(Uint8Array.from(body.subarray(2 * SALT_BYTES)).buffer);
  const dimension = values.length / count;
  return {
    noise: Array.from({ length: count }, (_, i) => values.slice(i * dimension, (i + 1) * dimension)),
    salt: Uint8Array.from(body.subarray(0, SALT_BYTES)),
    stateSalt: Uint8Array.from(body.subarray(SALT_BYTES, 2 * SALT_BYTES)),
  };
}

function joined(
  head: object,
  salt: Uint8Array,
  parts: readonly (Uint8Array | Float64Array | Int32Array)[],
): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const start = 4 + text.length + salt.length;
  const bytes = new Uint8Array(start + parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(salt, 4 + text.length);
  let at = start;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
}

function split(bytes: Uint8Array): { readonly head: unknown; readonly body: Uint8Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { head, body: bytes.subarray(4 + length) };
}
