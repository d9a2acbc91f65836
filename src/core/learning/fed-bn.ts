import { elementCount, type Manifest, parameterCount } from '../model/manifest.ts';

/**
 * FedBN: tensors whose manifest says `aggregate: false` (batch normalisation, adapters) stay on the client; only the
 * others travel.
 *
 * Source: Li et al. 2021, arXiv:2102.07623.
 */

/** Whether every tensor travels. */
export function isWhollyShared(manifest: Manifest): boolean {
  return manifest.every((tensor) => tensor.aggregate);
}

/** The tensors that travel. */
export function sharedManifest(manifest: Manifest): Manifest {
  return manifest.filter((tensor) => tensor.aggregate);
}

/** The number of values that travel. */
export function sharedCount(manifest: Manifest): number {
  return parameterCount(sharedManifest(manifest));
}

/** The part of a flat vector that travels, laid out by `sharedManifest`: the vector itself where all of it does. */
export function sharedPart(manifest: Manifest, flat: Float32Array): Float32Array {
  if (isWhollyShared(manifest)) return flat;
  const shared = new Float32Array(parameterCount(sharedManifest(manifest)));
  eachShared(manifest, flat.length, (from, to, count) => shared.set(flat.subarray(from, from + count), to));
  return shared;
}

/** A client's whole model: its own tensors where they stay, the shared ones where they travel. */
export function withShared(manifest: Manifest, own: Float32Array, shared: Float32Array): Float32Array {
  if (isWhollyShared(manifest)) return shared;
  const merged = own.slice();
  const expected = parameterCount(sharedManifest(manifest));
  if (shared.length !== expected) {
    throw new RangeError(
      `Cannot merge a model as its shared part must be ${expected}: current value is ${shared.length}`,
    );
  }
  eachShared(manifest, own.length, (to, from, count) => merged.set(shared.subarray(from, from + count), to));
  return merged;
}

function eachShared(
  manifest: Manifest,
  length: number,
  visit: (whole: number, shared: number, count: number) => void,
): void {
  const d = parameterCount(manifest);
  if (length !== d)
    throw new RangeError(`Cannot split a model as it must have ${d} values: current value is ${length}`);
  let [whole, shared] = [0, 0];
  for (const tensor of manifest) {
    const count = elementCount(tensor);
    if (tensor.aggregate) {
      visit(whole, shared, count);
      shared += count;
    }
    whole += count;
  }
}
