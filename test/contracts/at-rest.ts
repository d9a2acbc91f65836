import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { openObject, sealObject } from '../../src/core/keys/sealed.ts';
import type { AtRest } from '../../src/ports/at-rest.ts';
import { DamagedError } from '../../src/ports/damage.ts';

const crypto = createNodeCrypto();

/** Sealing at rest under one key of equal bytes, as a vault does it. */
export function atRestUnder(byte: number): AtRest {
  const key = { version: 1, bytes: new Uint8Array(32).fill(byte) };
  return {
    seal: (place, plaintext) => sealObject(key, place, plaintext, crypto),
    open(place, sealed) {
      const plaintext = openObject(key, place, sealed, crypto);
      if (plaintext === undefined) throw new DamagedError(place);
      return plaintext;
    },
  };
}
