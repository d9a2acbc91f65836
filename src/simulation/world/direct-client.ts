import { createLocalPrivacy } from '../../client/local-privacy.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import { manifestOf } from '../../core/learning/model-spec.ts';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { type Announcement, enrolmentProofBytes, type SignedAnnouncement } from '../../core/protocol/messages.ts';
import { purposes } from '../../core/protocol/purposes.ts';
import { createRng } from '../../core/random/rng.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Device } from '../../ports/store.ts';
import type { Trainer, TrainerTask } from '../../ports/trainer.ts';
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
  readonly counter: Counter;
  readonly entropy: Entropy;
  readonly modelOf: (hash: string) => Promise<Float32Array>;
  /** Puts results of real work on other threads in order. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onFailure: (error: unknown) => void;
}): ClientHost {
  const { clientId, token, pin, plan, coordinator, crypto, trainer, counter, modelOf, during } = world;
  const seeds = createRng(plan.seed);
  const local = createLocalPrivacy({ plan, entropy: world.entropy, released: 0, save: async () => {} });
  const done = new Set<string>();
  let end: ClientEnd = { kind: 'running' };
  let contributions = 0;

  async function enrol(): Promise<Device> {
    const key = crypto.generateSigningKey();
    const publicKey = key.publicKey.toBase64();
    const tokenHash = crypto.sha256(new TextEncoder().encode(token)).toHex();
    const proof = key.sign(purposes.enrolment, enrolmentProofBytes({ tokenHash, publicKey, pin })).toBase64();
    const result = await coordinator.enrolment.enrol({ token, name: clientId, publicKey, proof });
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

  async function work(device: Device, { baseModel, round, collects }: Announcement): Promise<void> {
    const parameters = await modelOf(baseModel);
    const task: TrainerTask = { parameters, round, seed: seeds.child('train', clientId, round).uint32() };
    const content = await during(async () => {
      if (collects === 'metrics') return { kind: 'metrics', ...(await trainer.evaluate(task)) } as const;
      if (local !== null && !(await local.reserve())) return null;
      const { parameters: trained, examples } = await trainer.train(task);
      const delta = counter.difference(trained, parameters);
      if (local === null) return { kind: 'update', delta, claimedExamples: examples } as const;
      delta.set(local.protect(delta));
      return { kind: 'update', delta, claimedExamples: 1 } as const;
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

/** Decodes a model once for all clients. */
export function sharedModels(
  plan: Plan,
  read: (hash: string) => Promise<Uint8Array | undefined>,
): (hash: string) => Promise<Float32Array> {
  const manifest = manifestOf(plan.model);
  let newest: { readonly hash: string; readonly parameters: Promise<Float32Array> } | undefined;
  return (hash) => {
    if (newest?.hash !== hash) {
      const parameters = read(hash).then((bytes) => valuesFor(manifest, decodeSafetensors(bytes!)));
      newest = { hash, parameters };
    }
    return newest.parameters;
  };
}
