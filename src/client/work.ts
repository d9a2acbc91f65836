import { codecs } from '../core/compression/index.ts';
import { traitsOf, updateClaims } from '../core/learning/client/index.ts';
import { decodeVectors, type Vectors } from '../core/learning/vectors.ts';
import { decodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import { planManifest } from '../core/plan/learning.ts';
import type { Plan } from '../core/plan/plan.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import type { Announcement } from '../core/protocol/messages.ts';
import { encodePayload } from '../core/protocol/payload.ts';
import { sealEnvelope } from '../core/protocol/seal.ts';
import { suites, suiteWithQkd } from '../core/protocol/suite.ts';
import type { Crypto, SigningKey } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { SiteMemory } from '../ports/site-memory.ts';
import type { Trainer } from '../ports/trainer.ts';
import type { PaceKeeper } from './pace.ts';
import { type LocalPrivacy, protectedUpdate } from './local-privacy.ts';
import type { ClientQkd } from './qkd.ts';
import type { Room } from './room.ts';
import { encodeAtSite, evaluateAtSite, trainAtSite } from './site-learning.ts';

/** Something that the coordinator says and this site will not do: another model or codec than the plan's. */
class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** The site has given as much of itself as the plan allows: it sends no further update. */
export class BudgetSpentError extends Error {
  override readonly name = 'BudgetSpentError';
}

/** Does what an announcement asks for and gives the sealed envelope to send. */
export async function contribute(
  announcement: Announcement,
  parts: {
    readonly plan: Plan;
    readonly clientId: string;
    readonly key: SigningKey;
    readonly crypto: Crypto;
    readonly deflate: Deflate;
    readonly trainer: Trainer;
    readonly memory: SiteMemory;
    readonly pace?: PaceKeeper;
    readonly fetchModel: (hash: string) => Promise<Uint8Array>;
    readonly qkd?: ClientQkd;
    /** Where the envelope is written; the one before is done with. */
    readonly room?: Room | undefined;
    /** Must be there when the plan asks for local privacy. */
    readonly local?: LocalPrivacy | null;
  },
): Promise<Uint8Array> {
  const { plan, clientId, key, crypto, deflate, trainer } = parts;
  const manifest = planManifest(plan);
  const layout = crypto.sha256(canonicalBytes(manifest as unknown as Json));
  if (layout.toHex() !== announcement.layout)
    throw new ProtocolError('The coordinator announces another layout than its plan');
  const { suite } = plan.security;
  const announced = announcement.qkd === undefined ? suite : suiteWithQkd[suite];
  if (announcement.codec !== plan.aggregation.codec || announcement.suite !== announced) {
    throw new ProtocolError('The coordinator announces another codec or suite than its plan');
  }
  const roundKey = Uint8Array.fromBase64(announcement.roundKey);
  if (roundKey.length !== suites[suite].publicKeyBytes) {
    throw new ProtocolError('The coordinator announces a round key of another kind than its plan says');
  }
  const local = plan.privacy.mode === 'local' ? (parts.local ?? null) : null;
  if (local === null && plan.privacy.mode === 'local') {
    throw new ProtocolError('The plan asks for local privacy and this site has no noise to add');
  }
  if (local !== null && announcement.collects !== 'update') {
    throw new ProtocolError('The coordinator asks for un-noised figures, and the plan says local privacy');
  }
  if (plan.privacy.mode === 'local' && plan.privacy.unit === 'record' && trainer.recordSteps === undefined) {
    throw new ProtocolError('The plan asks for privacy of each record, and this trainer does not noise its gradients');
  }
  // Before the training: a site that has no key where one must be does not work in vain.
  const qkd = (await parts.qkd?.keyFor(announcement)) ?? null;
  const file = decodeSafetensors(await parts.fetchModel(announcement.baseModel));
  const { round, counted } = announcement;
  const server = await sentBeside(plan, file.metadata, parts.fetchModel);
  const parameters = valuesFor(manifest, file);
  const site = { plan, clientId, trainer, memory: parts.memory, pace: parts.pace, round, counted, parameters, server };

  const codec = codecs[plan.aggregation.codec];
  const isUpdate = announcement.collects === 'update';
  const payload = isUpdate ? await updatePayload() : await metricsPayload();
  return sealEnvelope(
    {
      kind: announcement.collects,
      suite: qkd === null ? suite : suiteWithQkd[suite],
      ...(qkd === null ? {} : { qkd: qkd.mark }),
      codec: isUpdate ? codec.wireId : 0,
      orgId: announcement.orgId,
      runId: announcement.runId,
      deviceId: announcement.deviceId,
      round,
      baseModel: Uint8Array.fromHex(announcement.baseModel),
      layout,
    },
    payload,
    { round: roundKey, device: key, psk: qkd?.psk },
    crypto,
    parts.room,
  );

  async function updatePayload(): Promise<Uint8Array> {
    const reserved = await local?.reserve(round, trainer);
    if (reserved?.ok === false) throw new BudgetSpentError(reserved.reason);
    const update = protectedUpdate(await trainAtSite(site), local);
    const reports = await local?.reports(round, trainer);
    const claims = { ...updateClaims(plan, update), ...(reports === undefined ? {} : { reports }) };
    const payload = encodePayload(claims, await encodeAtSite(site, update, deflate));
    await local?.commit(payload);
    return payload;
  }

  async function metricsPayload(): Promise<Uint8Array> {
    return encodePayload(await evaluateAtSite(site), new Uint8Array());
  }
}

/** What the coordinator sends beside a model: the model's file names the hash of the other file. */
async function sentBeside(
  plan: Plan,
  metadata: Readonly<Record<string, string>>,
  fetch: (hash: string) => Promise<Uint8Array>,
): Promise<Vectors> {
  const { travels } = traitsOf(plan.learning.client);
  const hash = travels === null ? undefined : metadata[`qflare.${travels}`];
  return hash === undefined ? {} : decodeVectors(await fetch(hash)).vectors;
}
