import { codecs } from '../core/compression/index.ts';
import { manifestOf } from '../core/learning/model-spec.ts';
import { decodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import type { Plan } from '../core/plan/plan.ts';
import { canonicalBytes, type Json } from '../core/protocol/canonical-json.ts';
import type { Announcement } from '../core/protocol/messages.ts';
import { encodePayload } from '../core/protocol/payload.ts';
import { sealEnvelope } from '../core/protocol/seal.ts';
import { suiteWithQkd } from '../core/protocol/suite.ts';
import { createRng } from '../core/random/rng.ts';
import type { Crypto, SigningKey } from '../ports/crypto.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { Trainer } from '../ports/trainer.ts';
import type { ClientQkd } from './qkd.ts';

/** Something that the coordinator says and this site will not do: another model or codec than the plan's. */
class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
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
    readonly fetchModel: (hash: string) => Promise<Uint8Array>;
    readonly qkd?: ClientQkd;
  },
): Promise<Uint8Array> {
  const { plan, clientId, key, crypto, deflate, trainer } = parts;
  const manifest = manifestOf(plan.model);
  const layout = crypto.sha256(canonicalBytes(manifest as unknown as Json));
  if (layout.toHex() !== announcement.layout)
    throw new ProtocolError('The coordinator announces another layout than its plan');
  const { suite } = plan.security;
  const announced = announcement.qkd === undefined ? suite : suiteWithQkd[suite];
  if (announcement.codec !== plan.aggregation.codec || announcement.suite !== announced) {
    throw new ProtocolError('The coordinator announces another codec or suite than its plan');
  }
  // Before the training: a site that has no key where one must be does not work in vain.
  const qkd = (await parts.qkd?.keyFor(announcement)) ?? null;
  const file = await parts.fetchModel(announcement.baseModel);
  const parameters = valuesFor(manifest, decodeSafetensors(file));
  const { round } = announcement;
  const task = { parameters, round, seed: createRng(plan.seed).child('train', clientId, round).uint32() };

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
    { round: Uint8Array.fromBase64(announcement.roundKey), device: key, psk: qkd?.psk },
    crypto,
  );

  async function updatePayload(): Promise<Uint8Array> {
    const result = await trainer.train(task);
    if (result.parameters.length !== parameters.length) {
      throw new RangeError(
        `Cannot use the trained weights as they must be ${parameters.length}: current value is ${result.parameters.length}`,
      );
    }
    const delta = new Float32Array(parameters.length);
    for (let i = 0; i < delta.length; i++) delta[i] = result.parameters[i]! - parameters[i]!;
    return encodePayload({ claimedExamples: result.examples }, codec.encode(delta, deflate));
  }

  async function metricsPayload(): Promise<Uint8Array> {
    const { examples, lossSum, correctCount } = await trainer.evaluate(task);
    return encodePayload({ examples, lossSum, correctCount }, new Uint8Array());
  }
}
