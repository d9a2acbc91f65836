import type { Row } from '../../ports/compute.ts';
import type { EnvelopeHead } from '../protocol/envelope.ts';
import type { Outcome } from './rejection.ts';
import type { Reports } from './reports.ts';

/**
 * The stages an update passes, as types. Each carries a mark that only the stage's own function in this folder makes,
 * so a stage that is skipped does not compile.
 */
declare const verified: unique symbol;
declare const opened: unique symbol;
declare const checked: unique symbol;

/** The head of an envelope whose address and signature have been checked: it names each chunk by its hash. */
export type Verified = { readonly head: EnvelopeHead; readonly [verified]: true };

/** The payload of a verified envelope, part by part, so that one of any size passes through one chunk of memory. */
export type Opened = { readonly payload: () => AsyncIterable<Outcome<Uint8Array>>; readonly [opened]: true };

/**
 * One client's delta from a named base model: finite, and shaped like what travels, which may be more than the model; in
 * memory, or spooled.
 */
export type Update = {
  readonly delta: Row;
  /** What local steps added up to (FedNova), 1 for other algorithms: a claim too. */
  readonly accumulation: number;
  /** A claim, never trusted as a weight without a cap. */
  readonly claimedExamples: number;
  /** What the site reports for the plan's histograms; nothing under plans without any. */
  readonly reports: Reports;
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
