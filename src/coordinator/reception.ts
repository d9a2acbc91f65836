import { accepted, type Outcome, type Rejection, rejected } from '../core/intake/rejection.ts';
import type { Metrics, Update, Verified } from '../core/intake/stages.ts';
import { isEnvelope, parseEnvelope, parseHead, wholeBytesMax } from '../core/protocol/envelope.ts';
import type { DeclineRequest, Receipt } from '../core/protocol/messages.ts';
import { canAccept, type Contribution, phaseOf, type Round } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import { createAcceptance } from './acceptance.ts';
import { type Content, createContents, type ReceptionContext } from './contents.ts';
import type { CoordinatorParts } from './parts.ts';
import type { RunLog } from './run-log.ts';
import { chunksFrom, createUploads, type UploadState } from './uploads.ts';

/** Takes envelopes in: verify, open, expand, store, record. Nothing that a client sent can throw past it. */
export type Reception = {
  /** A whole envelope. */
  submit(device: Device, bytes: Uint8Array): Promise<Outcome<Receipt>>;
  /**
   * The head of an envelope that is too large for one request: how far its upload has come, or the receipt at its end.
   * Undefined where the upload was ended meanwhile.
   */
  beginUpload(
    device: Device,
    contentHash: string,
    head: Uint8Array,
  ): Promise<Outcome<UploadState | Receipt> | undefined>;
  uploadState(device: Device, contentHash: string): UploadState | undefined;
  /** Bytes of such an envelope. Undefined where there is no such upload or it stands elsewhere. */
  continueUpload(
    device: Device,
    contentHash: string,
    offset: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<UploadState | Receipt> | undefined>;
  refuse(device: Device, refusal: Rejection, bytes: number): Promise<void>;
  decline(device: Device, request: DeclineRequest): Promise<boolean>;
  /** The accepted contributions of a phase, opened again from their envelopes where this process has not opened them. */
  updates(round: Round, contributions: readonly Contribution[]): Promise<readonly Update[]>;
  metrics(round: Round, contributions: readonly Contribution[]): Promise<readonly Metrics[]>;
  /** Forgets opened contributions and removes the envelopes of a finished round. */
  forget(round: Round): Promise<void>;
  /** Removes envelopes that no round counts: those that a killed process had written and not recorded. At the start only. */
  sweep(): Promise<void>;
  /** The largest body that a client may send as a whole, and as the head of an upload. */
  readonly bodyBytesMax: number;
  readonly headBytesMax: number;
};

export function createReception(parts: CoordinatorParts, log: RunLog, context: ReceptionContext): Reception {
  const { crypto, blobs, store } = parts;
  const contents = createContents(parts, log, context);
  const uploads = createUploads(parts, contents);
  const acceptance = createAcceptance(parts, log, context.nowMs);
  const opened = new Map<string, Content>();
  /** The newest round whose envelopes were removed. */
  let forgottenRound = 0;
  /** Uploads whose last byte is in, while they are opened and recorded. */
  const finishing = new Map<string, Promise<Outcome<Receipt> | undefined>>();

  /** What is asked before a byte of an envelope is looked at. */
  function admit(device: Device, contentHash: string): Outcome<{ round: Round; receipt: Receipt | null }> {
    const { round, status } = log.snapshot().run;
    if (device.status !== 'approved') return rejected('not-invited', `the device is ${device.status}`);
    if (round === null || status !== 'running') return rejected('round-closed', 'no round is open');
    // The same bytes again: the client did not get its receipt.
    if (round.accepted[device.clientId] === contentHash) {
      return accepted({ round, receipt: { contentHash, round: round.number, phaseId: phaseOf(round).id } });
    }
    const answer = canAccept(round, device.clientId);
    return answer === 'yes' ? accepted({ round, receipt: null }) : rejected(answer, `round ${round.number}`);
  }

  async function take(device: Device, bytes: Uint8Array): Promise<Outcome<Receipt>> {
    const contentHash = crypto.sha256(bytes).toHex();
    const admitted = admit(device, contentHash);
    if (!admitted.ok) return admitted;
    const { round, receipt } = admitted.value;
    if (receipt !== null) return accepted(receipt);
    const parsed = parseEnvelope(bytes);
    if (!parsed.ok) return parsed;
    const verified = await contents.verify(parsed.value, device, round);
    if (!verified.ok) return verified;
    const content = await contents.open(verified.value, (i) => parsed.value.chunks[i]!, round);
    if (!content.ok) return content;
    await blobs.put(bytes, contentHash, 'as-it-is');
    return record(device, round, { contentHash, verified: verified.value, content: content.value });
  }

  async function record(
    device: Device,
    round: Round,
    { contentHash, verified, content }: { contentHash: string; verified: Verified; content: Content },
  ): Promise<Outcome<Receipt>> {
    const { header, bytes } = verified.head;
    // Before the decision: the round may be reduced as soon as that is written.
    const isKept = !opened.has(contentHash);
    if (isKept) opened.set(contentHash, content);
    else await content.release();
    const outcome = await acceptance.record(
      device,
      round,
      { contentHash, baseModel: header.baseModel.toHex(), nonce: header.nonce.toHex(), bytes },
      { hasQkd: header.qkd !== undefined },
    );
    // Repeated bytes may come between the end of the round, when its envelopes are removed, and the word that it is closed.
    if (round.number > forgottenRound && (outcome.ok || isCounted(contentHash))) return outcome;
    if (isKept && opened.delete(contentHash)) await content.release();
    await blobs.remove(contentHash);
    return outcome;
  }

  /** Whether the same bytes were accepted when they came the first time: then a refused repetition must not remove them. */
  function isCounted(contentHash: string): boolean {
    return Object.values(log.snapshot().run.round?.accepted ?? {}).includes(contentHash);
  }

  /** The receipt once all bytes are there, or how many are. Whoever asks for the end at the same time gets the same answer. */
  async function advance(
    device: Device,
    round: Round,
    contentHash: string,
    state: Outcome<UploadState>,
  ): Promise<Outcome<UploadState | Receipt> | undefined> {
    if (!state.ok || state.value.offset < state.value.bytes) return state;
    const known = finishing.get(contentHash);
    if (known !== undefined) return known;
    const work = uploads.finish(contentHash, round).then(async (outcome) => {
      return outcome?.ok === true ? record(device, round, { contentHash, ...outcome.value }) : outcome;
    });
    finishing.set(contentHash, work);
    try {
      return await work;
    } finally {
      finishing.delete(contentHash);
    }
  }

  async function beginUpload(device: Device, contentHash: string, head: Uint8Array) {
    const admitted = admit(device, contentHash);
    if (!admitted.ok) return admitted;
    const { round, receipt } = admitted.value;
    if (receipt !== null) return accepted(receipt);
    return advance(device, round, contentHash, await uploads.begin(device, round, contentHash, head));
  }

  async function continueUpload(device: Device, contentHash: string, offset: number, body: AsyncIterable<Uint8Array>) {
    const admitted = admit(device, contentHash);
    if (!admitted.ok) return admitted;
    const { round, receipt } = admitted.value;
    if (receipt !== null) return accepted(receipt);
    const state = await uploads.append(device, round, contentHash, offset, body);
    return state && advance(device, round, contentHash, state);
  }

  /** Journals what is refused. */
  async function withRefusals<T extends Outcome<unknown> | undefined>(
    device: Device,
    bytes: number,
    work: () => Promise<T>,
  ): Promise<T> {
    const seen = log.snapshot().run.round;
    const outcome = await work();
    if (outcome?.ok === false) await acceptance.refuse(device, outcome, { seen, bytes });
    return outcome;
  }

  async function reopen(round: Round, { clientId, contentHash }: Contribution): Promise<Content> {
    const known = opened.get(contentHash);
    if (known !== undefined) return known;
    const rows = await store.accepted(round.number, phaseOf(round).id);
    const row = rows.find((one) => one.contentHash === contentHash);
    const device = row && log.snapshot().devices.get(row.deviceId);
    const size = await blobs.size(contentHash);
    if (size === undefined || device === undefined) {
      throw new Error(`Cannot open the contribution of ${clientId} again as its envelope must be stored: it is not`);
    }
    const head = new Uint8Array(Math.min(size, contents.headBytesMax));
    await blobs.read(contentHash, 0, head);
    const content = await openStored(contentHash, head, device, round);
    if (!content.ok)
      throw new Error(`Cannot open the contribution of ${clientId} again: ${content.code} ${content.detail}`);
    opened.set(contentHash, content.value);
    return content.value;
  }

  async function openStored(hash: string, bytes: Uint8Array, device: Device, round: Round): Promise<Outcome<Content>> {
    const head = parseHead(bytes);
    if (!head.ok) return head;
    const verified = await contents.verify(head.value, device, round);
    if (!verified.ok) return verified;
    const chunkAt = chunksFrom(head.value, (start, target) => blobs.read(hash, start, target));
    return contents.open(verified.value, chunkAt, round);
  }

  async function values(round: Round, contributions: readonly Contribution[]): Promise<(Update | Metrics)[]> {
    const all: (Update | Metrics)[] = [];
    for (const contribution of contributions) all.push((await reopen(round, contribution)).value);
    return all;
  }

  async function isOrphan(contentHash: string): Promise<boolean> {
    const { models, run } = log.snapshot();
    if (isCounted(contentHash) || models.some(({ hash }) => hash === contentHash)) return false;
    for (const phase of run.round?.phases ?? []) {
      const rows = await store.accepted(run.round!.number, phase.id);
      if (rows.some((row) => row.contentHash === contentHash)) return false;
    }
    // What is not an envelope is somebody else's.
    const size = await blobs.size(contentHash);
    const beginning = new Uint8Array(Math.min(size ?? 0, contents.headBytesMax));
    await blobs.read(contentHash, 0, beginning);
    return isEnvelope(beginning);
  }

  return {
    bodyBytesMax: wholeBytesMax,
    headBytesMax: contents.headBytesMax,
    submit: (device, bytes) => withRefusals(device, bytes.length, () => take(device, bytes)),
    beginUpload: (device, contentHash, head) =>
      withRefusals(device, head.length, () => beginUpload(device, contentHash, head)),
    uploadState: uploads.state,
    continueUpload: (device, contentHash, offset, body) =>
      withRefusals(device, offset, () => continueUpload(device, contentHash, offset, body)),
    refuse: (device, refusal, bytes) => acceptance.refuse(device, refusal, { seen: log.snapshot().run.round, bytes }),
    decline: acceptance.decline,
    updates: async (round, contributions) => (await values(round, contributions)) as Update[],
    metrics: async (round, contributions) => (await values(round, contributions)) as Metrics[],
    async sweep() {
      await blobs.sweep(isOrphan);
    },
    async forget(round) {
      forgottenRound = round.number;
      for (const content of opened.values()) await content.release();
      opened.clear();
      acceptance.forget();
      await uploads.forget();
      for (const phase of round.phases) {
        for (const row of await store.accepted(round.number, phase.id)) await blobs.remove(row.contentHash);
      }
    },
  };
}
