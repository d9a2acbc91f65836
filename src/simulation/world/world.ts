import { memoryAtRest } from '../../adapters/at-rest-memory.ts';
import { createMemoryBlobs } from '../../adapters/blobs-memory.ts';
import { createNodeDeflate } from '../../adapters/deflate-node.ts';
import { createMemoryRoundKeys } from '../../adapters/round-keys-memory.ts';
import { createMemorySpool } from '../../adapters/spool-memory.ts';
import { createMemoryStore } from '../../adapters/store-memory.ts';
import { hasEnded } from '../../coordinator/state.ts';
import { createWasmEngine } from '../../core/learning/wasm/engine.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { createRng } from '../../core/random/rng.ts';
import type { RoundRecord } from '../../core/round/record.ts';
import { createWasmCompute } from '../../core/vector/wasm.ts';
import type { Store } from '../../ports/store.ts';
import { castOf, cryptoMaker, seenInRun, type Sites } from './cast.ts';
import { createClientHost } from './client-host.ts';
import { createCoordinatorHost, type PlannedCrash } from './coordinator-host.ts';
import type { Disk } from './coordinator-ports.ts';
import type { Faults } from './faults.ts';
import { invariants } from './invariants.ts';
import type { Traffic } from './network.ts';
import { createNoiseRecord } from './noise-record.ts';
import { createObserver, type Invariant, type Violation } from './observed.ts';
import { createOperator } from './operator.ts';
import type { Scenario } from './scenario.ts';
import { bytesFrom, simulatedAnnouncer, simulatedProofKeys } from './simulated-crypto.ts';
import { createSimulatedEntropy } from './simulated-entropy.ts';
import { createVirtualTime, type RunEnd } from './virtual-time.ts';
import { resultOf, type WorldResult } from './world-result.ts';

export const place = { orgId: 'simulated', runId: 'simulation' };
const farewellMs = 3_600_000;
/** Until here things go wrong; afterwards they work, and then the run must end. */
const healAfterMs = 1_800_000;
const healed: Partial<Faults> = {
  dropShare: 0,
  duplicateShare: 0,
  streamLifeMs: null,
  crashShare: 0,
  crashEveryMs: null,
  clientLifeMs: null,
};

/** One for all worlds of this thread: they keep nothing between jobs, and their memory is dear. */
export const tools = {
  compute: createWasmCompute(),
  deflate: createNodeDeflate(),
  engine: createWasmEngine(),
  spool: createMemorySpool(),
};

export type WorldOptions = {
  readonly scenario: Scenario;
  readonly sites: Sites;
  /** `simulated`: a function of the seed, and fast. `real`: the production suite; ciphertexts differ from run to run. */
  readonly crypto?: 'simulated' | 'real' | undefined;
  /** A kill at one exact crash point, beside what the faults draw. */
  readonly crash?: PlannedCrash;
  /** Which invariants are watched; all unless given. */
  readonly invariants?: Readonly<Record<string, Invariant>>;
  readonly onRound?: ((record: RoundRecord) => void) | undefined;
};

/** Runs a whole world: the real coordinator, the real agents, and everything that can go wrong between them. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const { scenario, sites } = options;
  const { plan, seed } = scenario;
  const root = createRng(seed).child('world');
  const time = createVirtualTime();
  // Everybody reads the faults of the moment from this one object.
  const faults: Faults = { ...scenario.faults };
  time.after(healAfterMs, () => void Object.assign(faults, healed));
  const isCryptoReal = options.crypto === 'real';
  const cryptoFor = cryptoMaker(isCryptoReal);
  const crypto = cryptoFor(root.child('coordinator', 'crypto'));
  const pin = bytesFrom(root.child('pin'))(32);
  const roundKeys = createMemoryRoundKeys();
  const blobs = createMemoryBlobs();
  const disk: Disk = { store: createMemoryStore(), blobs, roundKeys };
  const seen = seenInRun(
    plan,
    () => observer.state(),
    (hash) => disk.blobs.get(hash),
  );
  const cast = castOf(scenario, sites, { rng: root, isWatched: true, compute: tools.compute, seen });
  const traffic: Traffic = { requests: 0, dropped: 0, duplicated: 0, cut: 0 };
  const noise = createNoiseRecord();
  let failure: unknown;
  let clientRestarts = 0;
  let clientsStarted = 0;

  const observer = createObserver({
    truth: { plan, noise, training: cast.training, ...tools, isHostile: (clientId) => cast.hostility.has(clientId) },
    disk,
    roundKeysHeld: roundKeys.rounds,
    blobsHeld: blobs.held,
    invariants: options.invariants ?? invariants,
    nowMs: time.monotonicMs,
  });
  const host = createCoordinatorHost({
    time,
    faults,
    isCryptoReal,
    rng: root.child('coordinator'),
    planned: options.crash,
    parts: {
      ...place,
      ...tools,
      plan,
      crypto,
      entropy: createSimulatedEntropy(root.child('coordinator', 'entropy')),
      announcer: simulatedAnnouncer(crypto, root, place),
      atRest: memoryAtRest,
      proofKeys: simulatedProofKeys(crypto, root),
      pin: pin.toHex(),
      test: sites.test,
      store: observedStore(),
      blobs: disk.blobs,
      roundKeys,
    },
    events: {
      onStarted: observer.started,
      onAcknowledged: observer.acknowledged,
      onFailure: (error) => {
        failure = error;
      },
    },
  });

  function observedStore(): Store {
    let told = 0;
    return {
      ...disk.store,
      async commit(changes, rows) {
        await disk.store.commit(changes, rows);
        await observer.committed(host.memory()!);
        const { records } = observer.state();
        for (const record of records.slice(told)) options.onRound?.(record);
        told = records.length;
      },
    };
  }

  function startClient(clientId: string, token: string) {
    const client = createClientHost({
      clientId,
      token,
      time,
      faults,
      host,
      traffic,
      isCryptoReal,
      cryptoFor,
      pin,
      rng: root.child('client', clientId, Math.max(0, clientsStarted++ - cast.clientIds.length + 1)),
      deflate: tools.deflate,
      trainer: cast.training.trainerOf(clientId),
      memory: cast.memoryOf(clientId),
      noise,
      wireAttack: cast.wireAttackOf(clientId),
      onRestart: () => {
        clientRestarts += 1;
      },
    });
    client.start();
    return client;
  }

  const isBroken = () => observer.violations.length > 0 || failure !== undefined;
  const isOver = () => hasEnded(observer.state()) && observer.state().round === null;
  const operator = createOperator({ plan, does: scenario.operator, time, host, startClient, isOver });
  const haveAllHeard = () => operator.clients.every((client) => client.end().kind !== 'running');

  host.boot();
  operator.work().catch((error: unknown) => {
    failure = error;
  });
  const how = await time.run(() => isBroken() || isOver(), deadlineMs(plan));
  if (!isBroken() && how === 'stopped') {
    await time.run(() => isBroken() || haveAllHeard(), time.monotonicMs() + farewellMs);
  }
  if (!isBroken()) {
    const clients = operator.clients.map((client) => ({ clientId: client.clientId, end: client.end() }));
    await observer.ended({ how: nameOf(how), clients });
  }
  return resultOf({
    run: observer.state(),
    store: disk.store,
    blobs: disk.blobs,
    sha256: crypto.sha256,
    virtualMs: time.monotonicMs(),
    hostility: cast.hostility,
    counts: { crashes: host.crashes(), crashPoints: host.crashPoints(), clientRestarts, traffic },
    violations: [...observer.violations, ...violationsOf(failure, time.monotonicMs())],
  });
}

function violationsOf(failure: unknown, atMs: number): readonly Violation[] {
  if (failure === undefined) return [];
  const problem = (failure as Error).stack ?? String(failure);
  return [{ invariant: 'coordinator-does-not-fail', problem, atMs }];
}

function nameOf(how: RunEnd): 'ended' | 'idle' | 'late' {
  return how === 'stopped' ? 'ended' : how;
}

/** Long after any run of this plan must have ended. */
function deadlineMs({ rounds, cohort }: Plan): number {
  const { deadlineSeconds, absenceGraceSeconds, gatherSeconds } = cohort;
  const roundSeconds = 3 * deadlineSeconds + absenceGraceSeconds + gatherSeconds + 120;
  return healAfterMs + 1000 * (3600 + rounds.count * rounds.attempts * roundSeconds);
}
