import { vectorBytesMax } from '../core/compression/codec.ts';
import { codecs } from '../core/compression/index.ts';
import { expandMetrics, expandUpdate } from '../core/intake/expand.ts';
import { openEnvelope } from '../core/intake/open.ts';
import { accepted, type Outcome, type Rejection, rejected } from '../core/intake/rejection.ts';
import type { Metrics, Opened, Update } from '../core/intake/stages.ts';
import { type Expectation, verifyEnvelope } from '../core/intake/verify.ts';
import { updateShape } from '../core/plan/learning.ts';
import type { DeclineRequest, Receipt } from '../core/protocol/messages.ts';
import { parseEnvelope } from '../core/protocol/envelope.ts';
import { canAccept, type Contribution, phaseOf, type Round } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import { createAcceptance } from './acceptance.ts';
import { qkdPreSharedKey } from '../core/protocol/qkd-schedule.ts';
import { suiteWithQkd } from '../core/protocol/suite.ts';
import type { CoordinatorParts, OpenRoundKey } from './parts.ts';
import type { RunLog } from './run-log.ts';

const metaAllowanceBytes = 8192;

/** Takes envelopes in: verify, open, expand, store, record. Nothing that a client sent can throw past it. */
export type Reception = {
  submit(device: Device, bytes: Uint8Array): Promise<Outcome<Receipt>>;
  refuse(device: Device, refusal: Rejection, bytes: number): Promise<void>;
  decline(device: Device, request: DeclineRequest): Promise<boolean>;
  /** The accepted contributions of a phase, opened again from their envelopes where memory no longer has them. */
  updates(round: Round, contributions: readonly Contribution[]): Promise<readonly Update[]>;
  metrics(round: Round, contributions: readonly Contribution[]): Promise<readonly Metrics[]>;
  /** Forgets opened contributions and removes the envelopes of a finished round. */
  forget(round: Round): Promise<void>;
  /** The largest body that a client may send. */
  readonly bodyBytesMax: number;
};

/** What a reception needs to know of the coordinator. */
export type ReceptionContext = {
  readonly layout: string;
  readonly roundKey: (round: number) => OpenRoundKey | undefined;
  readonly nowMs: () => number;
};

export function createReception(parts: CoordinatorParts, log: RunLog, context: ReceptionContext): Reception {
  const { plan, orgId, runId, crypto, deflate, blobs, store } = parts;
  const shape = updateShape(plan);
  const codec = codecs[plan.aggregation.codec];
  const updateBytesMax = vectorBytesMax(shape.count) + metaAllowanceBytes;
  const layout = Uint8Array.fromHex(context.layout);
  const openedByHash = new Map<string, Opened>();
  const acceptance = createAcceptance(parts, log, context.nowMs);

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

  async function open(bytes: Uint8Array, device: Device, round: Round): Promise<Outcome<Opened>> {
    const parsed = parseEnvelope(bytes);
    if (!parsed.ok) return parsed;
    const verified = await verifyEnvelope(parsed.value, expectationOf(device, round), crypto);
    if (!verified.ok) return verified;
    const roundKey = context.roundKey(round.number);
    if (roundKey === undefined) return rejected('round-closed', 'the key of the round is gone');
    const { deviceId } = device;
    const qkd = parsed.value.header.qkd && roundKey.qkd.get(deviceId);
    const psk = qkd && qkdPreSharedKey({ ...qkd, deviceId, round: round.number });
    return openEnvelope(verified.value, roundKey.key, psk);
  }

  function expand(opened: Opened, round: Round): Outcome<Update | Metrics> {
    return phaseOf(round).collects === 'update' ? expandUpdate(opened, shape, codec, deflate) : expandMetrics(opened);
  }

  async function take(device: Device, bytes: Uint8Array): Promise<Outcome<Receipt>> {
    const { round, status } = log.snapshot().run;
    if (device.status !== 'approved') return rejected('not-invited', `the device is ${device.status}`);
    if (round === null || status !== 'running') return rejected('round-closed', 'no round is open');
    const contentHash = crypto.sha256(bytes).toHex();
    const receipt: Receipt = { contentHash, round: round.number, phaseId: phaseOf(round).id };
    // The same bytes again: the client did not get its receipt.
    if (round.accepted[device.clientId] === contentHash) return accepted(receipt);
    const answer = canAccept(round, device.clientId);
    if (answer !== 'yes') return rejected(answer, `round ${round.number}`);

    const opened = await open(bytes, device, round);
    if (!opened.ok) return opened;
    const content = expand(opened.value, round);
    if (!content.ok) return content;

    await blobs.put(bytes);
    const { header } = opened.value.envelope;
    const outcome = await acceptance.record(
      device,
      round,
      {
        contentHash,
        baseModel: header.baseModel.toHex(),
        nonce: header.nonce.toHex(),
        bytes: bytes.length,
      },
      { hasQkd: header.qkd !== undefined },
    );
    if (outcome.ok) openedByHash.set(contentHash, opened.value);
    else if (!isCounted(contentHash)) await blobs.remove(contentHash);
    return outcome;
  }

  /** Whether the same bytes were accepted when they came the first time: then a refused repetition must not remove them. */
  function isCounted(contentHash: string): boolean {
    return Object.values(log.snapshot().run.round?.accepted ?? {}).includes(contentHash);
  }

  async function reopen(round: Round, { clientId, contentHash }: Contribution): Promise<Opened> {
    const known = openedByHash.get(contentHash);
    if (known !== undefined) return known;
    const bytes = await blobs.get(contentHash);
    const rows = await store.accepted(round.number, phaseOf(round).id);
    const row = rows.find((one) => one.contentHash === contentHash);
    const device = row && log.snapshot().devices.get(row.deviceId);
    if (bytes === undefined || device === undefined) {
      throw new Error(`Cannot open the contribution of ${clientId} again as its envelope must be stored: it is not`);
    }
    const opened = await open(bytes, device, round);
    if (!opened.ok)
      throw new Error(`Cannot open the contribution of ${clientId} again: ${opened.code} ${opened.detail}`);
    openedByHash.set(contentHash, opened.value);
    return opened.value;
  }

  async function contents(round: Round, contributions: readonly Contribution[]): Promise<(Update | Metrics)[]> {
    const all: (Update | Metrics)[] = [];
    for (const contribution of contributions) {
      const content = expand(await reopen(round, contribution), round);
      if (!content.ok) throw new Error(`Cannot expand the contribution of ${contribution.clientId}: ${content.detail}`);
      all.push(content.value);
    }
    return all;
  }

  return {
    bodyBytesMax: updateBytesMax + 65_536 + Math.ceil(updateBytesMax / (1 << 20)) * 64,
    async submit(device, bytes) {
      const seen = log.snapshot().run.round;
      const outcome = await take(device, bytes);
      if (!outcome.ok) await acceptance.refuse(device, outcome, { seen, bytes: bytes.length });
      return outcome;
    },
    refuse: (device, refusal, bytes) => acceptance.refuse(device, refusal, { seen: log.snapshot().run.round, bytes }),
    decline: acceptance.decline,
    updates: async (round, contributions) => (await contents(round, contributions)) as Update[],
    metrics: async (round, contributions) => (await contents(round, contributions)) as Metrics[],
    async forget(round) {
      openedByHash.clear();
      acceptance.forget();
      for (const phase of round.phases) {
        for (const row of await store.accepted(round.number, phase.id)) await blobs.remove(row.contentHash);
      }
    },
  };
}
