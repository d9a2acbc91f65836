import type { Crypto } from '../../ports/crypto.ts';

/** A process that can be killed. What it still awaits at that moment never comes: nothing of it runs on. */
export type Life = {
  isOver(): boolean;
  end(): void;
  /** The value, unless the process has died before it came. */
  mortal<T>(work: Promise<T>): Promise<T>;
};

export function createLife(): Life {
  let isOver = false;
  return {
    isOver: () => isOver,
    end() {
      isOver = true;
    },
    mortal: (work) =>
      new Promise((resolve, reject) => {
        if (isOver) return;
        const unlessOver =
          <V>(settle: (value: V) => void) =>
          (value: V) =>
            isOver ? undefined : settle(value);
        work.then(unlessOver(resolve), unlessOver(reject));
      }),
  };
}

/** Cryptography whose asynchronous operations go through `during`: they take virtual time, or end with the process. */
export function cryptoThrough(crypto: Crypto, during: <T>(work: () => Promise<T>) => Promise<T>): Crypto {
  return {
    ...crypto,
    verify: (...args) => during(() => crypto.verify(...args)),
    generateRoundKey: (kem) => during(() => crypto.generateRoundKey(kem).then(keyThrough)),
    importRoundKey: (secret) => {
      // The caller wipes its copy as soon as this returns to it.
      const copy = Uint8Array.from(secret);
      return during(() => crypto.importRoundKey(copy).then(keyThrough));
    },
    seal: (...args) => during(() => crypto.seal(...args)),
  };

  function keyThrough(key: Awaited<ReturnType<Crypto['generateRoundKey']>>): typeof key {
    return { ...key, open: (...args) => during(() => key.open(...args)) };
  }
}
