import type { Dataset } from '../core/data/dataset.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compute } from '../ports/compute.ts';
import type { Crypto, SigningKey } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { RoundKeys } from '../ports/round-keys.ts';
import type { Spool } from '../ports/spool.ts';
import type { Store } from '../ports/store.ts';

/** What a coordinator is made of. The command line and the simulation choose the adapters. */
export type CoordinatorParts = {
  readonly orgId: string;
  readonly runId: string;
  readonly plan: Plan;
  /** Signs announcements; its public half is given at enrolment. */
  readonly signingKey: SigningKey;
  /** The hash of the server's TLS key that links carry. */
  readonly pin: string;
  /** What each model is evaluated on, where the plan gives it. */
  readonly test: Dataset | null;
  readonly clock: Clock;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly roundKeys: RoundKeys;
  /** Where opened updates are kept while a round is open. */
  readonly spool: Spool;
  readonly crypto: Crypto;
  readonly deflate: Deflate;
  readonly compute: Compute;
  readonly engine: TrainingEngine;
};
