import type { Dataset } from '../core/data/dataset.ts';
import type { TrainingEngine } from '../core/learning/engine.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { CertificateAuthority } from '../ports/authority.ts';
import type { AtRest } from '../ports/at-rest.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compute } from '../ports/compute.ts';
import type { Crypto, RoundKey } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { ProofKeys } from '../ports/proof-keys.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { KeySource } from '../ports/key-source.ts';
import type { RoundKeys } from '../ports/round-keys.ts';
import type { Spool } from '../ports/spool.ts';
import type { Store } from '../ports/store.ts';
import type { Announcer } from './announcer.ts';
import type { DeviceQkd } from './round-secret.ts';

/** What a coordinator with a QKD link is given. */
export type QkdParts = {
  /** The named TLS profile towards the key source, for status: vendors speak classical TLS. */
  readonly tlsProfile: string;
  /** The key source towards one site, by the SAE id that the site says it has. Its entity binds the id to a certificate. */
  readonly sourceFor: (saeId: string) => KeySource;
  /** Where the secrets that are carried from round to round rest, wrapped. */
  readonly epochs: RoundKeys;
};

/** What a coordinator is made of. The command line and the simulation choose the adapters. */
export type CoordinatorParts = {
  readonly orgId: string;
  readonly runId: string;
  readonly plan: Plan;
  /** Signs announcements. */
  readonly announcer: Announcer;
  readonly proofKeys: ProofKeys;
  /** The hash of the server's TLS key that links carry. */
  readonly pin: string;
  /** What each model is evaluated on, where the plan gives it. */
  readonly test: Dataset | null;
  /** What updates are tried on, where the plan asks for it: taken from the test data, which is then without it. */
  readonly root?: Dataset | null;
  readonly clock: Clock;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly roundKeys: RoundKeys;
  /** Seals what is remembered of single updates. */
  readonly atRest: AtRest;
  /** Where opened updates are kept while a round is open. */
  readonly spool: Spool;
  readonly crypto: Crypto;
  /** Coins and noise of private rounds. */
  readonly entropy: Entropy;
  readonly deflate: Deflate;
  readonly compute: Compute;
  readonly engine: TrainingEngine;
  /** Issues certificates to devices, where the plan demands them. */
  readonly authority?: CertificateAuthority | undefined;
  /** The QKD link of this coordinator, where it has one. */
  readonly qkd?: QkdParts | undefined;
};

/** The open round's private key, and the QKD keys that were reserved for it. */
export type OpenRoundKey = {
  readonly round: number;
  readonly key: RoundKey;
  readonly qkd: ReadonlyMap<string, DeviceQkd>;
};
