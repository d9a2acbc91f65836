import { memoryAtRest } from '../../adapters/at-rest-memory.ts';
import { createMemoryBlobs } from '../../adapters/blobs-memory.ts';
import { createMemoryRoundKeys } from '../../adapters/round-keys-memory.ts';
import { createMemoryStore } from '../../adapters/store-memory.ts';
import { createCoordinator } from '../../coordinator/coordinator.ts';
import type { CoordinatorParts } from '../../coordinator/parts.ts';
import { updateShape } from '../../core/plan/learning.ts';
import { createRng } from '../../core/random/rng.ts';
import type { RoundRecord } from '../../core/round/record.ts';
import type { JournalEntry } from '../../ports/store.ts';
import { castOf, seenInRun, type Sites } from './cast.ts';
import type { ClientHost } from './client-host.ts';
import { createDirectClient, sharedModels } from './direct-client.ts';
import { createCounter } from './direct-reception.ts';
import type { Scenario } from './scenario.ts';
import { bytesFrom, createSimulatedCrypto, simulatedAnnouncer, simulatedProofKeys } from './simulated-crypto.ts';
import { createSimulatedEntropy } from './simulated-entropy.ts';
import { createVirtualTime } from './virtual-time.ts';
import { place, tools } from './world.ts';
import { resultOf, type WorldResult } from './world-result.ts';

/** What the fast path leaves out, to be said wherever its figures appear. */
export const leftOutByFastPath = [
  'network, sessions and HTTP',
  'the agent: downloads, retries, checks of announcements',
  'update codec, sealing, signatures and envelopes',
  'faults, crashes and invariants',
] as const;

/**
 * A world without faults in which clients hand their work over in memory: the real coordinator loop, rounds, journal,
 * aggregation, detector and models; see `leftOutByFastPath` for the rest. For experiments with many clients.
 */
export async function runDirectWorld(options: {
  readonly scenario: Pick<Scenario, 'seed' | 'plan' | 'attackers'>;
  readonly sites: Sites;
  readonly onRound?: ((record: RoundRecord) => void) | undefined;
  readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
}): Promise<WorldResult> {
  const { scenario, sites } = options;
  const { plan, seed } = scenario;
  const root = createRng(seed).child('world');
  const time = createVirtualTime();
  const crypto = createSimulatedCrypto(root.child('coordinator', 'crypto'));
  const counter = createCounter(tools.compute, updateShape(plan));
  const store = createMemoryStore();
  const pin = bytesFrom(root.child('pin'))(32).toHex();
  const parts: CoordinatorParts = {
    ...place,
    ...tools,
    plan,
    crypto,
    pin,
    store,
    clock: time,
    test: sites.test,
    entropy: createSimulatedEntropy(root.child('coordinator', 'entropy')),
    announcer: simulatedAnnouncer(crypto, root, place),
    proofKeys: simulatedProofKeys(crypto, root),
    blobs: createMemoryBlobs(),
    roundKeys: createMemoryRoundKeys(),
    atRest: memoryAtRest,
  };
  const coordinator = createCoordinator(parts, counter.makeReception);
  const seen = seenInRun(plan, () => coordinator.snapshot().run, coordinator.model);
  const cast = castOf(scenario, sites, { rng: root, isWatched: false, compute: tools.compute, seen });
  const modelOf = sharedModels(plan, coordinator.model);
  let isOver = false;
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);

  async function begin(): Promise<void> {
    await coordinator.start();
    const invited = await coordinator.enrolment.invite(plan.cohort.expected);
    for (const { subject, token } of invited) clientOf(subject, token).start();
  }

  function clientOf(clientId: string, token: string): ClientHost {
    return createDirectClient({
      clientId,
      token,
      pin,
      plan,
      coordinator,
      crypto: createSimulatedCrypto(root.child('client', clientId)),
      trainer: cast.training.trainerOf(clientId),
      memory: cast.memoryOf(clientId),
      counter,
      entropy: createSimulatedEntropy(root.child('client', clientId, 'entropy')),
      modelOf,
      during: (work) => time.during(0, work),
      onFailure: fail,
    });
  }

  let told = 0;
  coordinator.onCommit((rows) => {
    for (const { entry } of rows) options.onEntry?.(entry);
    const { records } = coordinator.snapshot().run;
    for (; told < records.length; told++) options.onRound?.(records[told]!);
  });
  coordinator.ended.then(() => (isOver = true)).catch(fail);
  begin().catch(fail);
  await time.run(() => isOver || failures.length > 0, Number.POSITIVE_INFINITY);
  coordinator.halt();
  if (failures.length > 0) throw failures[0];
  return resultOf({
    run: coordinator.snapshot().run,
    store,
    blobs: parts.blobs,
    sha256: crypto.sha256,
    virtualMs: time.monotonicMs(),
    hostility: cast.hostility,
    counts: {
      crashes: 0,
      crashPoints: 0,
      clientRestarts: 0,
      traffic: { requests: 0, dropped: 0, duplicated: 0, cut: 0 },
    },
    violations: [],
  });
}
