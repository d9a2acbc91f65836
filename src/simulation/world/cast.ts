import { createNodeCrypto } from '../../adapters/crypto-node.ts';
import { aggregateCohort } from '../../core/aggregation/aggregate.ts';
import { attacks, type AttackId } from '../../core/attacks/index.ts';
import type { Dataset } from '../../core/data/dataset.ts';
import type { AggregationContext } from '../../core/aggregation/rule.ts';
import { createRng, type Rng } from '../../core/random/rng.ts';
import type { Compute } from '../../ports/compute.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Trainer } from '../../ports/trainer.ts';
import type { Hostility, Scenario } from './scenario.ts';
import { bytesFrom, createSimulatedCrypto } from './simulated-crypto.ts';
import { createTraining, type Training } from './training.ts';
import { type WireAttack, type WireAttackId, wireAttacks } from './wire-attacks.ts';

/** How the sites of a world train, by the number of the client. */
export type Sites = {
  readonly trainerOf: (index: number) => Trainer;
  readonly test: Dataset | null;
};

/** Who takes part in a world, who of them lies, and how they train. */
export type Cast = {
  readonly clientIds: readonly string[];
  readonly hostility: ReadonlyMap<string, Hostility>;
  readonly training: Training;
  wireAttackOf(clientId: string): WireAttack | undefined;
};

export function castOf(
  { plan, attackers }: Pick<Scenario, 'plan' | 'attackers'>,
  sites: Sites,
  {
    rng,
    isWatched,
    compute,
    known = () => ({}),
  }: {
    readonly rng: Rng;
    readonly isWatched: boolean;
    readonly compute: Compute;
    /** What an attacker that knows the rule knows of this round's aggregation beside the rows. */
    readonly known?: () => AggregationContext;
  },
): Cast {
  const { expected } = plan.cohort;
  const clientIds = Array.from({ length: expected }, (_, i) => `client-${String(i + 1).padStart(2, '0')}`);
  const hostility = new Map([...attackers].map(([index, kind]) => [clientIds[index]!, kind]));
  const seeds = createRng(plan.seed);
  const wireAttackOf = (clientId: string): WireAttack | undefined => {
    const kind = hostility.get(clientId) ?? '';
    return Object.hasOwn(wireAttacks, kind) ? wireAttacks[kind as WireAttackId] : undefined;
  };
  const training = createTraining({
    honest: new Map(clientIds.map((clientId, i) => [clientId, sites.trainerOf(i)])),
    attackOf(clientId) {
      const kind = hostility.get(clientId) ?? '';
      return Object.hasOwn(attacks, kind) ? (kind as AttackId) : undefined;
    },
    claimOf: (clientId, trainer) => wireAttackOf(clientId)?.trainer?.(trainer) ?? trainer,
    aggregate: async (rows) => (await aggregateCohort({ rows }, plan.aggregation.pipeline, known(), compute)).vector,
    rng: rng.child('training'),
    isWatched,
    seedOf: (clientId, round) => seeds.child('train', clientId, round).uint32(),
  });
  return { clientIds, hostility, training, wireAttackOf };
}

/** Cryptography for each machine of a world. Of the real one, keys, nonces and tokens are seeded; the rest cannot be. */
export function cryptoMaker(isReal: boolean): (rng: Rng) => Crypto {
  if (!isReal) return createSimulatedCrypto;
  const real = createNodeCrypto();
  return (rng) => {
    const randomBytes = bytesFrom(rng);
    return {
      ...real,
      randomBytes,
      generateSigningKey() {
        const seed = randomBytes(32);
        return { ...real.importSigningKey(seed), exportSeed: () => seed };
      },
    };
  };
}
