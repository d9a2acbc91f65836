/**
 * Secret randomness: keys and the noise of private releases. Seeded generators are `Rng`, which is another type on
 * purpose: `purpose` tells them apart at compile time.
 */
export type Entropy = {
  readonly purpose: 'secret';
  /** Set by simulated worlds alone, which stand in for secret bytes with seeded ones: every release says so. */
  readonly isSimulated?: true;
  /** Overwrites the target with uniform bytes that nobody can predict. */
  fillBytes(target: Uint8Array<ArrayBuffer>): void;
};
