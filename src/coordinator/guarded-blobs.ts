import type { Blobs } from '../ports/blobs.ts';

/** Blobs whose failing writes are told before they are thrown: what cannot be written is no fault of a client. */
export function guardedBlobs(blobs: Blobs, onFailure: (error: unknown) => never): Blobs {
  const { arriving } = blobs;
  return {
    ...blobs,
    put: (content, known, how) => blobs.put(content, known, how).catch(onFailure),
    remove: (hash) => blobs.remove(hash).catch(onFailure),
    sweep: (isOrphan) => blobs.sweep(isOrphan).catch(onFailure),
    arriving: {
      ...arriving,
      write: (name, offset, part) => arriving.write(name, offset, part).catch(onFailure),
      settle: (name) => arriving.settle(name).catch(onFailure),
      remove: (name) => arriving.remove(name).catch(onFailure),
    },
  };
}
