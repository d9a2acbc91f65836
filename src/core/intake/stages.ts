import type { Envelope } from '../protocol/envelope.ts';

/**
 * The stages an update passes, as types. Each carries a mark that only the stage's own function in this folder makes,
 * so a stage that is skipped does not compile.
 */
declare const verified: unique symbol;
declare const opened: unique symbol;
declare const checked: unique symbol;

/** An envelope whose address, chunk hashes and signature have been checked. */
export type Verified = { readonly envelope: Envelope; readonly [verified]: true };

/** The payload of a verified envelope. */
export type Opened = { readonly envelope: Envelope; readonly payload: Uint8Array; readonly [opened]: true };

/** One client's delta from a named base model: finite, and shaped like what travels, which may be more than the model. */
export type Update = {
  readonly delta: Float32Array;
  /** What local steps added up to (FedNova), 1 for other algorithms: a claim too. */
  readonly accumulation: number;
  /** A claim, never trusted as a weight without a cap. */
  readonly claimedExamples: number;
  readonly [checked]: true;
};

/** What one client measured on its own hold-out. */
export type Metrics = {
  readonly examples: number;
  readonly lossSum: number;
  readonly correctCount: number;
  /** The same of the site's personal model, where it has one. */
  readonly personal?: { readonly lossSum: number; readonly correctCount: number } | undefined;
  readonly [checked]: true;
};
