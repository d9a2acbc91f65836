import { createCipheriv, createDecipheriv, randomBytes } from '../primitives/index.ts';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowWriter, Spool } from '../ports/spool.ts';

/** The unit that is sealed and opened; the kernels read in multiples of it. */
const blockValues = 8192;
const blockBytes = 4 * blockValues;
const tagBytes = 16;
const sealedBytes = blockBytes + tagBytes;

/**
 * Rows in memory up to a budget, and beyond it in files that are sealed block by block under a key that lives in memory
 * only. A file loses its name as soon as it is open, so that nothing is left of it when the process is gone.
 */
export function createFileSpool(folder: string, { heldBytesMax }: { readonly heldBytesMax: number }): Spool {
  let heldBytes = 0;
  return {
    async begin(length) {
      if (heldBytes + 4 * length > heldBytesMax) return sealedRow(await openNameless(folder), length);
      heldBytes += 4 * length;
      return heldRow(length, () => {
        heldBytes -= 4 * length;
      });
    },
  };
}

function heldRow(length: number, giveBack: () => void): RowWriter {
  const row = new Float32Array(length);
  let filled = 0;
  let isReleased = false;
  return {
    async append(values) {
      row.set(values, filled);
      filled += values.length;
    },
    finish: async () => row,
    async release() {
      if (!isReleased) giveBack();
      isReleased = true;
    },
  };
}

async function openNameless(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomBytes(12).toString('hex'));
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

/**
 * A row in a file: blocks of 8192 values, each AES-256-GCM(key, i) with a key that seals this one row.
 *
 * Errors: reading rejects when a block is not what was written.
 */
function sealedRow(file: FileHandle, length: number): RowWriter {
  const key = randomBytes(32);
  const pending = new Float32Array(blockValues);
  let pendingCount = 0;
  let written = 0;
  let release: Promise<void> | undefined;

  function nonceOf(block: number): Uint8Array {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(8, block);
    return nonce;
  }

  async function writeBlocks(values: Float32Array): Promise<void> {
    const count = Math.ceil(values.length / blockValues);
    const bytes = new Uint8Array(values.byteLength + count * tagBytes);
    for (let i = 0; i < count; i++) {
      const part = values.subarray(i * blockValues, (i + 1) * blockValues);
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(written + i));
      bytes.set(cipher.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength)), i * sealedBytes);
      cipher.final();
      bytes.set(cipher.getAuthTag(), i * sealedBytes + part.byteLength);
    }
    await file.write(bytes, 0, bytes.length, written * sealedBytes);
    written += count;
  }

  async function read(start: number, target: Float32Array): Promise<void> {
    const first = Math.floor(start / blockValues);
    const end = Math.min(length, start + target.length);
    const last = Math.ceil(end / blockValues);
    const valuesUntil = Math.min(length, last * blockValues);
    const sealed = new Uint8Array(4 * (valuesUntil - first * blockValues) + (last - first) * tagBytes);
    await readFully(file, sealed, first * sealedBytes);
    for (let block = first; block < last; block++) {
      const offset = (block - first) * sealedBytes;
      const values = open(block, sealed.subarray(offset, offset + sealedBytes));
      const from = Math.max(0, start - block * blockValues);
      const part = values.subarray(from, Math.min(values.length, end - block * blockValues));
      target.set(part, block * blockValues + from - start);
    }
  }

  function open(block: number, sealed: Uint8Array): Float32Array {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(block));
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const bytes = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
    decipher.final();
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  return {
    async append(values) {
      let at = 0;
      if (pendingCount > 0) {
        at = Math.min(values.length, blockValues - pendingCount);
        pending.set(values.subarray(0, at), pendingCount);
        pendingCount += at;
        if (pendingCount < blockValues) return;
        await writeBlocks(pending);
        pendingCount = 0;
      }
      const whole = at + blockValues * Math.floor((values.length - at) / blockValues);
      if (whole > at) await writeBlocks(values.subarray(at, whole));
      pending.set(values.subarray(whole));
      pendingCount = values.length - whole;
    },
    async finish() {
      if (pendingCount > 0) await writeBlocks(pending.subarray(0, pendingCount));
      return { length, read };
    },
    release() {
      release ??= file.close();
      key.fill(0);
      return release;
    },
  };
}

async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new Error('Cannot read a spooled row as its file has become shorter');
    done += bytesRead;
  }
}
