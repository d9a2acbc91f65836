import { vectorBytesMax } from '../core/compression/codec.ts';
import { codecs } from '../core/compression/index.ts';
import { expandMetrics, expandUpdate } from '../core/intake/expand.ts';
import { openEnvelope, type SealedChunks } from '../core/intake/open.ts';
import { accepted, type Outcome, rejected } from '../core/intake/rejection.ts';
import type { Metrics, Opened, Update, Verified } from '../core/intake/stages.ts';
import { type Expectation, verifyEnvelope } from '../core/intake/verify.ts';
import { questionsIn } from '../core/plan/histograms.ts';
import { updateShape } from '../core/plan/learning.ts';
import { type EnvelopeHead, headBytesMax } from '../core/protocol/envelope.ts';
import { qkdPreSharedKey } from '../core/protocol/qkd-schedule.ts';
import { suiteWithQkd } from '../core/protocol/suite.ts';
import { phaseOf, type Round } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import type { CoordinatorParts, OpenRoundKey } from './parts.ts';
import type { RunLog } from './run-log.ts';

const metaAllowanceBytes = 8192;

/** What an envelope held, once it has been verified, opened and checked. `release` gives its memory or file back. */
export type Content = { readonly value: Update | Metrics; release(): Promise<void> };

/** What a reception needs to know of the coordinator. */
export type ReceptionContext = {
  readonly layout: string;
  readonly roundKey: (round: number) => OpenRoundKey | undefined;
  readonly nowMs: () => number;
};

/** Turns the envelopes of a plan into contents, chunk by chunk. Nothing that a client sent can throw past it. */
export type Contents = {
  /** The largest head of an envelope. */
  readonly headBytesMax: number;
  verify(head: EnvelopeHead, device: Device, round: Round): Promise<Outcome<Verified>>;
  open(verified: Verified, chunkAt: SealedChunks, round: Round): Promise<Outcome<Content>>;
};

export function createContents(parts: CoordinatorParts, log: RunLog, context: ReceptionContext): Contents {
  const { plan, orgId, runId, crypto, deflate, spool } = parts;
  const shape = updateShape(plan);
  const codec = codecs[plan.aggregation.codec];
  const updateBytesMax = vectorBytesMax(shape.count) + metaAllowanceBytes;
  const layout = Uint8Array.fromHex(context.layout);

  function expectationOf(device: Device, round: Round): Expectation {
    const kind = phaseOf(round).collects;
    const facts = log.snapshot().run.facts!;
    const {
      suite,
      qkd: { policy },
    } = plan.security;
    const qkd = context.roundKey(round.number)?.qkd.get(device.deviceId);
    const baseModel = kind === 'update' ? facts.baseModel : (facts.published?.hash ?? facts.baseModel);
    return {
      kind,
      suite: policy === 'required' ? null : suite,
      withQkd: qkd && { suite: suiteWithQkd[suite], mark: qkd.mark },
      codec: kind === 'update' ? codec.wireId : 0,
      orgId,
      runId,
      deviceId: device.deviceId,
      round: round.number,
      baseModel: Uint8Array.fromHex(baseModel),
      layout,
      plaintextBytesMax: kind === 'update' ? updateBytesMax : metaAllowanceBytes,
      publicKey: Uint8Array.fromBase64(device.publicKey),
    };
  }

  async function updateFrom(opened: Opened, round: Round): Promise<Outcome<Content>> {
    const row = await spool.begin(shape.count);
    const update = await expandUpdate(
      opened,
      { ...shape, questions: questionsIn(plan, round.number) },
      { codec, deflate },
      row,
    );
    if (update.ok) return accepted({ value: update.value, release: row.release });
    await row.release();
    return update;
  }

  return {
    headBytesMax: headBytesMax(updateBytesMax),
    verify: (head, device, round) => verifyEnvelope(head, expectationOf(device, round), crypto),
    async open(verified, chunkAt, round) {
      const roundKey = context.roundKey(round.number);
      if (roundKey === undefined) return rejected('round-closed', 'the key of the round is gone');
      const { deviceId, qkd: mark } = verified.head.header;
      const qkd = mark && roundKey.qkd.get(deviceId);
      const psk = qkd && qkdPreSharedKey({ ...qkd, deviceId, round: round.number });
      const opened = await openEnvelope(verified, chunkAt, { round: roundKey.key, psk }, crypto);
      if (!opened.ok) return opened;
      if (phaseOf(round).collects === 'update') return updateFrom(opened.value, round);
      const metrics = await expandMetrics(opened.value);
      return metrics.ok ? accepted({ value: metrics.value, release: async () => {} }) : metrics;
    },
  };
}
