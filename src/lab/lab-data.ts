import { createHash } from '../primitives/index.ts';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Dataset } from '../core/data/dataset.ts';
import { datasetFromIdx } from '../core/data/idx.ts';
import type { Pool } from '../simulation/index.ts';
import { readMnist } from '../simulation/demo/sites.ts';
import type { Lab } from './lab-file.ts';

/** Where Debian's package puts it. */
const fashionFolder = '/usr/share/datasets/fashion-mnist';

/** The samples of a matrix in memory that threads share, and what names them in a cell's key. */
export type LabData = { readonly name: string; readonly pool: Pool | undefined };

/** Reads the data of a matrix. Synthetic blobs are drawn in the cell, from its seed. */
export async function readLabData({ data }: Pick<Lab, 'data'>): Promise<LabData> {
  const { source, folder, standardize } = data;
  if (source === 'blobs' && folder === undefined) return { name: 'blobs', pool: undefined };
  const pool = source === 'mnist' && folder === undefined ? await readMnist() : await readIdxFolder(source, folder);
  const hash = createHash('sha256');
  for (const { features, labels } of [pool.training, pool.test]) {
    for (const part of [features, labels]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  const name = `${source} ${hash.digest('hex').slice(0, 16)}${standardize ? ' standardized' : ''}`;
  return { name, pool: standardize ? standardized(pool) : inSharedMemory(pool) };
}

async function readIdxFolder(source: string, folder = fashionFolder): Promise<Pool> {
  const [training, test] = await Promise.all(['train', 't10k'].map((prefix) => readPair(source, folder, prefix)));
  return { training: training!, test: test! };
}

async function readPair(source: string, folder: string, prefix: string): Promise<Dataset> {
  const read = async (name: string) => {
    const path = join(folder, name);
    const found = [path, `${path}.gz`].find((candidate) => existsSync(candidate));
    if (found === undefined) {
      const hint = folder === fashionFolder ? ': on Debian "apt-get install dataset-fashion-mnist" puts it there' : '';
      throw new RangeError(`Cannot read ${source} as ${path} must exist, plain or as .gz${hint}`);
    }
    const bytes = await readFile(found);
    return { path: found, bytes: new Uint8Array(found.endsWith('.gz') ? gunzipSync(bytes) : bytes) };
  };
  return datasetFromIdx({
    features: await read(`${prefix}-images-idx3-ubyte`),
    labels: await read(`${prefix}-labels-idx1-ubyte`),
  });
}

/** Features as floats with mean 0 and deviation 1 over all pixels of the training data. */
function standardized({ training, test }: Pool): Pool {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < training.features.length; i++) {
    const value = training.features[i]! * training.scale;
    sum += value;
    squares += value * value;
  }
  const mean = sum / training.features.length;
  const deviation = Math.sqrt(Math.max(Number.MIN_VALUE, squares / training.features.length - mean * mean));
  const shift = (data: Dataset): Dataset => {
    const features = new Float32Array(new SharedArrayBuffer(4 * data.features.length));
    for (let i = 0; i < features.length; i++) features[i] = (data.features[i]! * data.scale - mean) / deviation;
    return { ...data, features, scale: 1 };
  };
  return { training: shift(training), test: shift(test) };
}

function inSharedMemory({ training, test }: Pool): Pool {
  const share = (data: Dataset): Dataset => {
    const memory = new SharedArrayBuffer(data.features.byteLength);
    const features = data.features instanceof Uint8Array ? new Uint8Array(memory) : new Float32Array(memory);
    features.set(data.features);
    return { ...data, features };
  };
  return { training: share(training), test: share(test) };
}
