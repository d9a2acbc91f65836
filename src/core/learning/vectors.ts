import { tensor } from '../model/manifest.ts';
import { decodeSafetensors, encodeSafetensors, encodeSafetensorsHead } from '../model/safetensors.ts';

/** Vectors by name: what a server or a client keeps from round to round, or what travels beside a model. */
export type Vectors = Readonly<Record<string, Float32Array>>;

/** Vectors as a safetensors file, in the order of their names: the same vectors give the same bytes. */
export function encodeVectors(vectors: Vectors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const names = Object.keys(vectors).sort();
  const manifest = names.map((name) => tensor(name, vectors[name]!.length));
  const flat = new Float32Array(names.reduce((sum, name) => sum + vectors[name]!.length, 0));
  let offset = 0;
  for (const name of names) {
    flat.set(vectors[name]!, offset);
    offset += vectors[name]!.length;
  }
  return encodeSafetensors(manifest, flat, metadata);
}

/** Vectors that are made tile by tile: the parts of the file that `encodeVectors` gives of the same values. */
export async function* encodeTiles(
  vectors: Readonly<Record<string, { readonly length: number; tiles(): AsyncIterable<Float32Array> }>>,
): AsyncGenerator<Uint8Array> {
  const names = Object.keys(vectors).sort();
  yield encodeSafetensorsHead(names.map((name) => tensor(name, vectors[name]!.length)));
  for (const name of names) {
    for await (const tile of vectors[name]!.tiles())
      yield new Uint8Array(tile.buffer, tile.byteOffset, tile.byteLength);
  }
}

/** Reads a file that `encodeVectors` wrote. Errors: RangeError that says what is wrong with it. */
export function decodeVectors(bytes: Uint8Array): {
  readonly vectors: Vectors;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const { tensors, values, metadata } = decodeSafetensors(bytes);
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = offset;
    offset += shape.reduce((product, size) => product * size, 1);
    return [name, values.slice(start, offset)] as const;
  });
  return { vectors: Object.fromEntries(entries), metadata };
}
