import { createCipheriv, createDecipheriv, randomBytes } from '../../primitives/index.ts';
import type { FileHandle } from 'node:fs/promises';
import { sealedUnder } from '../../core/keys/sealed.ts';
import type { AtRest } from '../../ports/at-rest.ts';
import { DamagedError } from '../../ports/damage.ts';

const magic = Buffer.from('QFSB');
const formatVersion = 1;
const fixedBytes = magic.length + 1 + 2;
/** The beginning of a file that has the whole of its head, whatever the key is wrapped in. */
export const headBytesMax = fixedBytes + 256;
const chunkBytes = 1 << 16;
const tagBytes = 16;
const sealedChunkBytes = chunkBytes + tagBytes;
const chunksAtOnce = 16;
const keysMax = 64;

/**
 * Files that are sealed chunk by chunk, so that a range can be read alone and what is held does not grow with the file.
 *
 * Formula: "QFSB" ‖ 1 ‖ length ‖ seal("blob/" name, key) ‖ AES-256-GCM(key, 0⁷ ‖ i ‖ last, chunk i), chunks of 64 KiB
 * Promises: opens under its own name only; a chunk that was changed, moved or cut off does not open. A key seals one file.
 * Source:  the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár 2015, with counter and last flag as nonce.
 */
export type SealedFiles = {
  /** Writes parts sealed, from the file's beginning. The name is asked for when all are written. */
  write(file: FileHandle, parts: AsyncIterable<Uint8Array>, name: () => string): Promise<void>;
  /** What is in a file; undefined where it is none of these. */
  open(file: FileHandle, name: string): Promise<OpenedFile | undefined>;
};

export type OpenedFile = {
  readonly size: number;
  readonly isSealed: boolean;
  /** Errors: DamagedError where the bytes are not what was sealed. */
  read(start: number, target: Uint8Array): Promise<void>;
};

export function createSealedFiles(atRest: AtRest): SealedFiles {
  const wrappedBytes = atRest.seal('blob/', new Uint8Array(32)).length;
  /** By what they are wrapped in: a file that is written anew has another. */
  const keys = new Map<string, Uint8Array>();

  function keyIn(wrapped: Uint8Array, name: string): Uint8Array {
    const at = `${name} ${wrapped.toBase64()}`;
    const key = keys.get(at) ?? atRest.open(`blob/${name}`, wrapped);
    keys.set(at, key);
    if (keys.size > keysMax) keys.delete(keys.keys().next().value!);
    return key;
  }

  return {
    async write(file, parts, name) {
      const key = randomBytes(32);
      let position = fixedBytes + wrappedBytes;
      let index = 0;
      const out = Buffer.allocUnsafeSlow(chunksAtOnce * sealedChunkBytes);
      let filled = 0;
      for await (const { chunk, isLast } of chunksOf(parts)) {
        const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index++, isLast));
        filled += cipher.update(chunk).copy(out, filled);
        cipher.final();
        filled += cipher.getAuthTag().copy(out, filled);
        if (!isLast && filled + sealedChunkBytes <= out.length) continue;
        await writeFully(file, position, out.subarray(0, filled));
        position += filled;
        filled = 0;
      }
      const head = Buffer.alloc(fixedBytes);
      magic.copy(head);
      head[magic.length] = formatVersion;
      head.writeUInt16BE(wrappedBytes, magic.length + 1);
      await writeFully(file, 0, Buffer.concat([head, atRest.seal(`blob/${name()}`, key)]));
      key.fill(0);
    },

    async open(file, name) {
      const head = await headOf(file);
      if (head === undefined) return undefined;
      const { size: fileBytes } = await file.stat();
      const sealedBytes = fileBytes - head.dataStart;
      const count = Math.ceil(sealedBytes / sealedChunkBytes);
      const size = sealedBytes - count * tagBytes;
      if (count < 1 || size < 0) throw changed(name);
      const key = keyIn(head.wrapped, name);
      const isSealed = true;
      return {
        size,
        isSealed,
        read: (start, target) => readRange({ file, name, key, count, size, ...head }, start, target),
      };
    },
  };
}

type Sealed = {
  readonly file: FileHandle;
  readonly name: string;
  readonly key: Uint8Array;
  readonly count: number;
  readonly size: number;
  readonly dataStart: number;
};

async function readRange(sealed: Sealed, start: number, target: Uint8Array): Promise<void> {
  const { file, name, key, count, size, dataStart } = sealed;
  const end = start + target.length;
  if (end > size) throw new Error(`Cannot read blob ${name} as it must have byte ${end - 1}: it has ${size} bytes`);
  const last = Math.ceil(end / chunkBytes);
  for (let first = Math.floor(start / chunkBytes); first < last; first += chunksAtOnce) {
    const until = Math.min(last, first + chunksAtOnce);
    const bytes = await readUpTo(file, (until - first) * sealedChunkBytes, dataStart + first * sealedChunkBytes);
    for (let i = first; i < until; i++) {
      const at = (i - first) * sealedChunkBytes;
      const chunk = openChunk(key, nonceOf(i, i === count - 1), bytes.subarray(at, at + sealedChunkBytes));
      if (chunk === undefined) throw changed(name);
      const from = Math.max(0, start - i * chunkBytes);
      target.set(chunk.subarray(from, end - i * chunkBytes), i * chunkBytes + from - start);
    }
  }
}

function openChunk(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const chunk = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    decipher.final();
    return chunk;
  } catch {
    return undefined;
  }
}

/** Parts of any size as chunks of one size, the last of which is known to be it. The array is used again. */
async function* chunksOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly chunk: Uint8Array; readonly isLast: boolean }> {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  let filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      if (filled === chunkBytes) {
        yield { chunk, isLast: false };
        filled = 0;
      }
      const taken = Math.min(part.length - at, chunkBytes - filled);
      chunk.set(part.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
    }
  }
  yield { chunk: chunk.subarray(0, filled), isLast: true };
}

/** Which version of the data key wraps the key of a sealed file, by its beginning; undefined where it is none of these. */
export function sealedBlobUnder(beginning: Uint8Array): number | undefined {
  const head = headIn(Buffer.from(beginning));
  return head && sealedUnder(head.wrapped);
}

async function headOf(file: FileHandle): Promise<Head | undefined> {
  return headIn(await readUpTo(file, headBytesMax, 0));
}

type Head = { readonly wrapped: Uint8Array; readonly dataStart: number };

function headIn(beginning: Buffer): Head | undefined {
  if (beginning.length < fixedBytes || !beginning.subarray(0, magic.length).equals(magic)) return undefined;
  if (beginning[magic.length] !== formatVersion) return undefined;
  const dataStart = fixedBytes + beginning.readUInt16BE(magic.length + 1);
  return dataStart > beginning.length ? undefined : { wrapped: beginning.subarray(fixedBytes, dataStart), dataStart };
}

function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

async function readUpTo(file: FileHandle, count: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(count);
  let done = 0;
  while (done < count) {
    const { bytesRead } = await file.read(bytes, done, count - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Writes all of the bytes at a place: one call of the system may write fewer. */
export async function writeFully(file: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

function changed(name: string): DamagedError {
  return new DamagedError(`Cannot open blob ${name} as it must be what was sealed: it was changed`);
}
