import { accepted } from '../../src/core/intake/rejection.ts';
import type { Opened } from '../../src/core/intake/stages.ts';

/** A payload as it comes out of its seal. */
export function openedOf(payload: Uint8Array): Opened {
  const parts = async function* () {
    yield accepted(payload);
  };
  return { payload: parts } as unknown as Opened;
}
