import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { memoryAtRest } from '../../src/adapters/at-rest-memory.ts';
import { createMemoryBlobs } from '../../src/adapters/blobs-memory.ts';
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createNodeDeflate } from '../../src/adapters/deflate-node.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { createMemoryStore } from '../../src/adapters/store-memory.ts';
import { createLocalPrivacy } from '../../src/client/local-privacy.ts';
import { contribute } from '../../src/client/work.ts';
import { type Coordinator, createCoordinator } from '../../src/coordinator/coordinator.ts';
import { suiteDefault, suites } from '../../src/core/protocol/suite.ts';
import { type Announcer, createAnnouncer } from '../../src/coordinator/announcer.ts';
import type { CoordinatorParts } from '../../src/coordinator/parts.ts';
import type { Outcome } from '../../src/core/intake/rejection.ts';
import { referenceEngine } from '../../src/core/learning/reference/engine.ts';
import { type Plan, parsePlan, type PlanInput } from '../../src/core/plan/plan.ts';
import { enrolmentRequest } from '../../src/core/protocol/invitation.ts';
import type { Announcement, Receipt } from '../../src/core/protocol/messages.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { createWasmCompute } from '../../src/core/vector/wasm.ts';
import type { ProofKeys } from '../../src/ports/proof-keys.ts';
import type { SigningKey } from '../../src/ports/crypto.ts';
import type { Device } from '../../src/ports/store.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import type { Disk } from './faults.ts';
import { createVirtualClock, until, type VirtualClock } from './virtual-clock.ts';

export const crypto = createNodeCrypto();
export const deflate = createNodeDeflate();
const compute = await createWasmCompute();
export const coordinatorKey = crypto.generateSigningKey();
const rootKey = crypto.generateSigningKey();
/** Root and announcement key of suites whose announcements are signed by another scheme. */
const announcing = new Map(
  (['ML-DSA-87', 'Ed25519+ML-DSA-65'] as const).map((scheme) => [
    scheme as string,
    [crypto.generateSigningKey(scheme), crypto.generateSigningKey(scheme)] as const,
  ]),
);

/** The announcer of a plan's suite. */
function announcerOf(plan: Plan, runId: string): Announcer {
  const [root, key] = announcing.get(suites[plan.security.suite].signature) ?? [rootKey, coordinatorKey];
  return createAnnouncer(root, { orgId: 'org', runId }, key);
}

export const proofKeys: ProofKeys = {
  treeHead: crypto.generateSigningKey(),
  modelCard: crypto.generateSigningKey(),
  exportList: crypto.generateSigningKey(),
  pseudonym: crypto.randomBytes(32),
};
/** Of the suite whose proofs are ML-DSA-87. */
export const strongProofKeys: ProofKeys = {
  treeHead: crypto.generateSigningKey('ML-DSA-87'),
  modelCard: crypto.generateSigningKey('ML-DSA-87'),
  exportList: crypto.generateSigningKey('ML-DSA-87'),
  pseudonym: proofKeys.pseudonym,
};
const pin = '7'.repeat(64);
const model = { kind: 'softmax-regression', inputs: 4, classes: 3 } as const;
/** Parameters of that model: 3 × 4 weights and 3 biases. */
export const d = 15;

const signingKeys: SigningKey[] = [];

/** The signing key of the i-th site: made once, as making one costs. */
export function keyOf(i: number): SigningKey {
  for (; signingKeys.length <= i; ) signingKeys.push(crypto.generateSigningKey());
  return signingKeys[i]!;
}

/** A plan for a few clients with the plain mean. */
export function smallPlan(input: Partial<PlanInput> = {}): Plan {
  return parsePlan({
    name: 'world',
    model,
    rounds: { count: 3 },
    aggregation: { pipeline: [{ rule: 'mean' }] },
    ...input,
    cohort: { expected: 3, quorum: 2, deadlineSeconds: 10, absenceGraceSeconds: 2, gatherSeconds: 1, ...input.cohort },
  });
}

/** Keys of open rounds in memory: for tests, where no secret is worth keeping. */
export function createMemoryDisk(): Disk & { readonly keys: Map<number, Uint8Array> } {
  const keys = new Map<number, Uint8Array>();
  return {
    keys,
    store: createMemoryStore(),
    blobs: createMemoryBlobs(),
    roundKeys: {
      put: async (round, secret) => void keys.set(round, secret.slice()),
      get: async (round) => keys.get(round)?.slice(),
      destroy: async (round) => void keys.delete(round),
    },
  };
}

export function partsOf(plan: Plan, disk: Disk, clock: VirtualClock, runId = 'run'): CoordinatorParts {
  return {
    orgId: 'org',
    runId,
    plan,
    pin,
    clock,
    crypto,
    deflate,
    entropy: createNodeEntropy(),
    compute,
    engine: referenceEngine,
    announcer: announcerOf(plan, runId),
    proofKeys: suites[plan.security.suite].provedBy === 'ML-DSA-87' ? strongProofKeys : proofKeys,
    test: null,
    store: disk.store,
    blobs: disk.blobs,
    roundKeys: disk.roundKeys,
    atRest: memoryAtRest,
    spool: createMemorySpool(),
  };
}

export async function startCoordinator(
  plan: Plan,
  disk: Disk,
  clock: VirtualClock = createVirtualClock(),
  runId?: string,
  qkd?: CoordinatorParts['qkd'],
): Promise<{ coordinator: Coordinator; clock: VirtualClock; parts: CoordinatorParts }> {
  const parts = { ...partsOf(plan, disk, clock, runId), qkd };
  const coordinator = createCoordinator(parts);
  await coordinator.start();
  return { coordinator, clock, parts };
}

/** A request to enrol the i-th site with a token: proven with its key. */
export function enrolRequestOf(token: string, key: SigningKey, of: { suite?: Plan['security']['suite'] } = {}) {
  const said = { token, suite: of.suite ?? suiteDefault, name: 'site', key, pin, channel: '00'.repeat(32) };
  return enrolmentRequest(said, crypto);
}

/** Enrols as many sites as the plan expects. */
async function enrolAll(coordinator: Coordinator, count: number): Promise<Site[]> {
  const invited = await coordinator.enrolment.invite(count);
  const sites: Site[] = [];
  for (const [i, { token }] of invited.entries()) {
    const result = await coordinator.enrolment.enrol(enrolRequestOf(token, keyOf(i)));
    if (!result.ok) throw new Error(result.code);
    sites.push(createSite(result.device, keyOf(i)));
  }
  return sites;
}

/** A trainer without data: a step towards zero and some noise that the task's seed gives. */
export const fakeTrainer: Trainer = {
  async train({ parameters, seed }) {
    const rng = createRng(seed);
    return { parameters: parameters.map((value) => 0.9 * value + 0.1 * rng.gaussian()), examples: 10 };
  },
  async evaluate({ seed }) {
    const rng = createRng(seed);
    return { examples: 10, lossSum: rng.float(), correctCount: rng.below(11) };
  },
};

/** A client without transport: it hears announcements and works on each once. */
export type Site = {
  readonly device: Device;
  readonly key: SigningKey;
  readonly heard: Announcement[];
  readonly outcomes: { readonly phase: string; readonly outcome: Outcome<Receipt> }[];
  /** Hears announcements of a coordinator and works on them by itself, until it is cut off. */
  attend(coordinator: Coordinator): () => void;
  /** Only hears. */
  listen(coordinator: Coordinator): () => void;
  /** The envelope for an announcement: always the same bytes for the same phase. */
  envelope(announcement: Announcement, coordinator: Coordinator, trainer?: Trainer): Promise<Uint8Array>;
};

export function createSite(device: Device, key: SigningKey): Site {
  const envelopes = new Map<string, Promise<Uint8Array>>();
  const memory = createVolatileSiteMemory();
  const heard: Announcement[] = [];
  const outcomes: { phase: string; outcome: Outcome<Receipt> }[] = [];

  function envelope(announcement: Announcement, coordinator: Coordinator, trainer = fakeTrainer) {
    const phase = phaseOf(announcement);
    const known = envelopes.get(phase);
    if (known !== undefined && trainer === fakeTrainer) return known;
    const { plan } = planOf(coordinator);
    const made = contribute(announcement, {
      plan,
      clientId: device.clientId,
      key,
      crypto,
      deflate,
      trainer,
      memory,
      fetchModel: async (hash) => (await coordinator.model(hash))!,
      local: createLocalPrivacy({ plan, released: 0, entropy: createNodeEntropy(), save: async () => {} }),
    });
    if (trainer === fakeTrainer) {
      envelopes.set(phase, made);
      made.catch(() => envelopes.delete(phase));
    }
    return made;
  }

  return {
    device,
    key,
    heard,
    outcomes,
    envelope,
    listen: (coordinator) => coordinator.connect(device, null, ({ announcement }) => heard.push(announcement)),
    attend(coordinator) {
      const begun = new Set<string>();
      return coordinator.connect(device, null, ({ announcement }) => {
        heard.push(announcement);
        const phase = phaseOf(announcement);
        if (announcement.state !== 'work' || begun.has(phase)) return;
        begun.add(phase);
        void (async () => {
          const outcome = await coordinator.submit(device, await envelope(announcement, coordinator));
          outcomes.push({ phase, outcome });
        })().catch(() => {});
      });
    },
  };
}

export function phaseOf({ round, phaseId }: Announcement): string {
  return `${round}/${phaseId}`;
}

const plans = new WeakMap<Coordinator, { readonly plan: Plan }>();

/** Sites are told the plan at enrolment; here they look it up. */
function planOf(coordinator: Coordinator): { readonly plan: Plan } {
  const known = plans.get(coordinator);
  if (known === undefined) throw new Error('Register the coordinator with its plan first');
  return known;
}

export type World = {
  readonly plan: Plan;
  readonly coordinator: Coordinator;
  readonly clock: VirtualClock;
  readonly parts: CoordinatorParts;
  readonly sites: readonly Site[];
};

/** A started coordinator and its enrolled sites, none of them connected. */
export async function createWorld(options: {
  readonly plan?: Plan;
  readonly disk: Disk;
  readonly clock?: VirtualClock;
  /** The sites of an earlier process on the same disk. */
  readonly sites?: readonly Site[];
  readonly runId?: string;
  /** The QKD link of the coordinator. */
  readonly qkd?: CoordinatorParts['qkd'];
}): Promise<World> {
  const plan = options.plan ?? smallPlan();
  const { disk, runId, qkd } = options;
  const { coordinator, clock, parts } = await startCoordinator(plan, disk, options.clock, runId, qkd);
  plans.set(coordinator, { plan });
  const sites = options.sites ?? (await enrolAll(coordinator, plan.cohort.expected));
  return { plan, coordinator, clock, parts, sites };
}

/** The newest model's hash and the rounds, once the run has ended. */
export async function finish({ coordinator }: World): Promise<{ hash: string; rounds: number }> {
  let isEnded = false;
  coordinator.ended.then(
    () => (isEnded = true),
    () => (isEnded = true),
  );
  await until(() => isEnded, `the run ends; it stands at ${JSON.stringify(coordinator.snapshot().run.round)}`);
  await coordinator.ended;
  const { models, run } = coordinator.snapshot();
  return { hash: models.at(-1)!.hash, rounds: run.records.length };
}
