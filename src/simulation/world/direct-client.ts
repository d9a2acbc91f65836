import { createLocalPrivacy, protectedUpdate } from '../../client/local-privacy.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import { evaluateAtSite, trainAtSite } from '../../client/site-learning.ts';
import { updateClaims, wireVector } from '../../core/learning/client/index.ts';
import { decodeVectors, type Vectors } from '../../core/learning/vectors.ts';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { planManifest } from '../../core/plan/learning.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { enrolmentRequest } from '../../core/protocol/invitation.ts';
import type { Announcement, SignedAnnouncement } from '../../core/protocol/messages.ts';
import { suites } from '../../core/protocol/suite.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Device } from '../../ports/store.ts';
import type { SiteMemory } from '../../ports/site-memory.ts';
import type { Trainer } from '../../ports/trainer.ts';
import type { ClientEnd, ClientHost } from './client-host.ts';
import type { Counter } from './direct-reception.ts';

/** A client of the fast path: no agent, no session, no network. It hears announcements and hands its work over. */
export function createDirectClient(world: {
  readonly clientId: string;
  readonly token: string;
  readonly pin: string;
  readonly plan: Plan;
  readonly coordinator: Coordinator;
  readonly crypto: Crypto;
  readonly trainer: Trainer;
  readonly memory: SiteMemory;
  readonly counter: Counter;
  readonly entropy: Entropy;
  readonly modelOf: (hash: string) => Promise<SharedModel>;
  /** Puts results of real work on other threads in order. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onFailure: (error: unknown) => void;
}): ClientHost {
  const { clientId, token, pin, plan, coordinator, crypto, trainer, memory, counter, modelOf, during } = world;
  const local = createLocalPrivacy({ plan, entropy: world.entropy, released: 0, save: async () => {} });
  const done = new Set<string>();
  let end: ClientEnd = { kind: 'running' };
  let contributions = 0;

  async function enrol(): Promise<Device> {
    const { suite } = plan.security;
    const key = crypto.generateSigningKey(suites[suite].signature);
    const said = { token, suite, name: clientId, key, pin, channel: '' };
    const result = await coordinator.enrolment.enrol(enrolmentRequest(said, crypto));
    if (!result.ok) throw new Error(`${clientId} could not enrol: ${result.code}`);
    return result.device;
  }

  function hear(device: Device, { announcement }: SignedAnnouncement): void {
    if (announcement.state === 'done') end = { kind: 'ended', reason: announcement.reason ?? '', contributions };
    const place = `${announcement.round}/${announcement.phaseId}`;
    if (announcement.state !== 'work' || done.has(place)) return;
    done.add(place);
    work(device, announcement).catch(world.onFailure);
  }

  async function work(device: Device, { baseModel, round, counted, collects }: Announcement): Promise<void> {
    const site = { plan, clientId, trainer, memory, round, counted, ...(await modelOf(baseModel)) };
    const content = await during(async () => {
      if (collects === 'metrics') return { kind: 'metrics', ...(await evaluateAtSite(site)) } as const;
      if ((await local?.reserve(round, trainer))?.ok === false) return null;
      const update = protectedUpdate(await trainAtSite(site), local);
      const reports = await local?.reports(round, trainer);
      await local?.commit(new Uint8Array());
      const claims = { ...updateClaims(plan, update), ...(reports === undefined ? {} : { reports }) };
      return { kind: 'update', delta: counter.row(wireVector(update)), ...claims } as const;
    });
    if (content === null) return;
    const outcome = await coordinator.submit(device, counter.leave(content));
    if (outcome.ok) contributions += 1;
  }

  return {
    clientId,
    end: () => end,
    start() {
      enrol()
        .then((device) => coordinator.connect(device, null, (message) => hear(device, message)))
        .catch(world.onFailure);
    },
  };
}

type SharedModel = { readonly parameters: Float32Array; readonly server: Vectors };

/** Decodes a model, and what is sent beside it, once for all clients. */
export function sharedModels(
  plan: Plan,
  read: (hash: string) => Promise<Uint8Array | undefined>,
): (hash: string) => Promise<SharedModel> {
  const manifest = planManifest(plan);
  let newest: { readonly hash: string; readonly model: Promise<SharedModel> } | undefined;

  async function load(hash: string): Promise<SharedModel> {
    const file = decodeSafetensors((await read(hash))!);
    const beside = file.metadata['qflare.control'];
    const server = beside === undefined ? {} : decodeVectors((await read(beside))!).vectors;
    return { parameters: valuesFor(manifest, file), server };
  }

  return (hash) => {
    if (newest?.hash !== hash) newest = { hash, model: load(hash) };
    return newest.model;
  };
}
