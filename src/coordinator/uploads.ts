import { accepted, type Outcome, rejected } from '../core/intake/rejection.ts';
import type { Verified } from '../core/intake/stages.ts';
import { isChunk } from '../core/intake/verify.ts';
import { chunkRange, type EnvelopeHead, parseHead } from '../core/protocol/envelope.ts';
import { phaseOf, type Round } from '../core/round/round.ts';
import type { Device } from '../ports/store.ts';
import type { Content, Contents } from './contents.ts';
import type { CoordinatorParts } from './parts.ts';

/** How far an upload has come, in bytes of the envelope. */
export type UploadState = { readonly offset: number; readonly bytes: number };

type Upload = {
  readonly device: Device;
  readonly place: string;
  readonly verified: Verified;
  /** What has been checked chunk by chunk and written. */
  offset: number;
  /** Grows with each request that brings bytes: an older one, whose line may be dead, writes no more. */
  turn: number;
  /** The write that is under way. */
  writing: Promise<void>;
};

/**
 * Envelopes that arrive in parts. The head comes first and is verified, so that nothing is stored of anybody else; then
 * each chunk is checked against the hash that the head names. A device has one upload at a time, and uploads end with
 * their phase.
 */
export type Uploads = {
  /** Begins an upload, or says how far it has come: after a cut, and after a restart too. */
  begin(device: Device, round: Round, contentHash: string, head: Uint8Array): Promise<Outcome<UploadState>>;
  state(device: Device, contentHash: string): UploadState | undefined;
  /**
   * Takes bytes from `offset` on, as far as they come; an end in the middle of a chunk is no fault. Undefined when there
   * is no such upload or it stands elsewhere.
   */
  append(
    device: Device,
    round: Round,
    contentHash: string,
    offset: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<UploadState> | undefined>;
  /** Opens an upload whose bytes are all there and makes a blob of it. Undefined when it was ended meanwhile. */
  finish(
    contentHash: string,
    round: Round,
  ): Promise<Outcome<{ readonly verified: Verified; readonly content: Content }> | undefined>;
  /** Forgets uploads and removes their bytes. */
  forget(): Promise<void>;
};

export function createUploads({ blobs, crypto }: CoordinatorParts, contents: Contents): Uploads {
  const uploads = new Map<string, Upload>();
  const turns = new Map<string, Promise<unknown>>();
  const { arriving } = blobs;

  const placeOf = (round: Round) => `${round.number}/${phaseOf(round).id}`;
  const stateOf = ({ offset, verified }: Upload): UploadState => ({ offset, bytes: verified.head.bytes });

  /** One beginning after the other for each device. */
  function inTurn<T>(device: Device, work: () => Promise<T>): Promise<T> {
    const before = turns.get(device.deviceId) ?? Promise.resolve();
    const now = before.then(work);
    turns.set(
      device.deviceId,
      now.catch(() => {}),
    );
    return now;
  }

  function own(device: Device, contentHash: string): Upload | undefined {
    const upload = uploads.get(contentHash);
    return upload?.device.deviceId === device.deviceId ? upload : undefined;
  }

  async function drop(contentHash: string): Promise<void> {
    const upload = uploads.get(contentHash);
    uploads.delete(contentHash);
    if (upload !== undefined) upload.turn += 1;
    await upload?.writing;
    await arriving.remove(contentHash);
  }

  /** How many bytes of this envelope are there already and are what its head names; an upload of another process left them. */
  async function checkedBytes(contentHash: string, verified: Verified, head: Uint8Array): Promise<number> {
    const size = await arriving.size(contentHash);
    if (size < head.length) return 0;
    const stored = new Uint8Array(head.length);
    await arriving.read(contentHash, 0, stored);
    if (!crypto.isEqual(stored, head)) return 0;
    let offset = head.length;
    for (let i = 0; i < verified.head.chunkHashes.length; i++) {
      const { start, end } = chunkRange(verified.head, i);
      if (end > size) break;
      const chunk = new Uint8Array(end - start);
      await arriving.read(contentHash, start, chunk);
      if (!isChunk(verified, i, chunk, crypto)) break;
      offset = end;
    }
    return offset;
  }

  async function write(upload: Upload, contentHash: string, chunk: Uint8Array): Promise<void> {
    await arriving.write(contentHash, upload.offset, chunk);
    upload.offset += chunk.length;
  }

  async function openArrived(
    contentHash: string,
    verified: Verified,
    round: Round,
  ): Promise<Outcome<Content> | undefined> {
    const read = (start: number, target: Uint8Array) => arriving.read(contentHash, start, target);
    try {
      return await contents.open(verified, chunksFrom(verified.head, read), round);
    } catch (error) {
      if (uploads.has(contentHash)) throw error;
      return undefined;
    }
  }

  /** Reads a body chunk by chunk; what remains of one that is cut is dropped. */
  async function take(
    upload: Upload,
    contentHash: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Outcome<UploadState>> {
    const { turn } = upload;
    const { head } = upload.verified;
    let index = head.chunkHashes.findIndex((_, i) => chunkRange(head, i).start === upload.offset);
    let chunk = new Uint8Array();
    let filled = 0;
    try {
      for await (const part of body) {
        let at = 0;
        while (at < part.length) {
          if (index === -1 || index >= head.chunkHashes.length)
            return rejected('malformed', 'bytes behind the last chunk');
          const { start, end } = chunkRange(head, index);
          if (chunk.length !== end - start) chunk = new Uint8Array(end - start);
          const count = Math.min(chunk.length - filled, part.length - at);
          chunk.set(part.subarray(at, at + count), filled);
          filled += count;
          at += count;
          if (filled < chunk.length) continue;
          if (upload.turn !== turn) return accepted(stateOf(upload));
          if (!isChunk(upload.verified, index, chunk, crypto)) {
            return rejected('bad-ciphertext', `chunk ${index} does not match its hash`);
          }
          upload.writing = write(upload, contentHash, chunk);
          await upload.writing;
          index += 1;
          filled = 0;
        }
      }
    } catch (error) {
      if (!(error instanceof CutError)) throw error;
    }
    return accepted(stateOf(upload));
  }

  return {
    begin: (device, round, contentHash, bytes) =>
      inTurn(device, async () => {
        const known = own(device, contentHash);
        const place = placeOf(round);
        if (known?.place === place) return accepted(stateOf(known));
        if (known === undefined && uploads.has(contentHash)) {
          return rejected('wrong-device', 'another device sends an envelope of this name');
        }
        const head = parseHead(bytes);
        if (!head.ok) return head;
        if (head.value.headBytes !== bytes.length) return rejected('malformed', 'bytes behind the head');
        const verified = await contents.verify(head.value, device, round);
        if (!verified.ok) return verified;
        for (const [name, other] of uploads) {
          if (other.device.deviceId === device.deviceId || other.place !== place) await drop(name);
        }
        let offset = await checkedBytes(contentHash, verified.value, bytes);
        if (offset === 0) {
          await arriving.write(contentHash, 0, bytes);
          offset = bytes.length;
        }
        const upload: Upload = { device, place, verified: verified.value, offset, turn: 0, writing: Promise.resolve() };
        uploads.set(contentHash, upload);
        return accepted(stateOf(upload));
      }),
    state(device, contentHash) {
      const upload = own(device, contentHash);
      return upload && stateOf(upload);
    },
    async append(device, round, contentHash, offset, body) {
      const upload = own(device, contentHash);
      // What was begun in an earlier phase is no answer to this one: its head says so when it is sent again.
      if (upload?.place !== placeOf(round)) return undefined;
      const turn = ++upload.turn;
      await upload.writing;
      if (upload.turn !== turn || upload.offset !== offset) return undefined;
      const outcome = await take(upload, contentHash, body);
      if (!outcome.ok) await drop(contentHash);
      return outcome;
    },
    async finish(contentHash, round) {
      const upload = uploads.get(contentHash);
      const { verified } = upload ?? {};
      if (verified === undefined) return undefined;
      const content = await openArrived(contentHash, verified, round);
      if (content === undefined) return undefined;
      if (!content.ok) {
        await drop(contentHash);
        return content;
      }
      // While it was opened the round may have closed, and its bytes may be gone.
      const isSettled = uploads.get(contentHash) === upload && (await arriving.settle(contentHash));
      const isCurrent = uploads.get(contentHash) === upload;
      if (isCurrent) uploads.delete(contentHash);
      if (isSettled) return accepted({ verified, content: content.value });
      await content.value.release();
      return isCurrent ? rejected('malformed', 'the bytes do not have the hash that was said') : undefined;
    },
    async forget() {
      for (const name of uploads.keys()) await drop(name);
      for (const name of await arriving.names()) await arriving.remove(name);
    },
  };
}

/** The chunks of an envelope that rests somewhere, in an array that is used again. */
export function chunksFrom(
  head: EnvelopeHead,
  read: (start: number, target: Uint8Array) => Promise<void>,
): (i: number) => Promise<Uint8Array> {
  let buffer = new Uint8Array();
  return async (i) => {
    const { start, end } = chunkRange(head, i);
    if (buffer.length < end - start) buffer = new Uint8Array(end - start);
    const chunk = buffer.subarray(0, end - start);
    await read(start, chunk);
    return chunk;
  };
}

/** The body of a request was cut off: what came before counts. */
export class CutError extends Error {
  override readonly name = 'CutError';
}
