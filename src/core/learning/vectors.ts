import { tensor } from '../model/manifest.ts';
import { decodeSafetensors, encodeSafetensors } from '../model/safetensors.ts';

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
