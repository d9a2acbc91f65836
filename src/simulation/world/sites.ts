import { createDataset, type Dataset, subset } from '../../core/data/dataset.ts';
import {
  partitionByLabel,
  partitionBySimilarity,
  partitionDirichlet,
  partitionIid,
} from '../../core/data/partition.ts';
import { classCountOf, inputCountOf, type ModelSpec } from '../../core/learning/model-spec.ts';
import type { Rng } from '../../core/random/rng.ts';

/** How samples are dealt to clients: `sorted` gives each client one run of equal labels, `by-label` two. */
export type Partition = 'iid' | 'by-label' | 'sorted' | { readonly alpha: number } | { readonly similarity: number };

/** Data before it is dealt. */
export type Pool = { readonly training: Dataset; readonly test: Dataset };

/**
 * Synthetic samples: one Gaussian cloud for each class, around centres that overlap a little, so that there is something to
 * learn and nothing to download. Clouds, not samples, are shared between training and test.
 */
export function syntheticBlobs(
  spec: ModelSpec,
  counts: { readonly training: number; readonly test: number },
  rng: Rng,
): Pool {
  const [inputs, classes] = [inputCountOf(spec), classCountOf(spec)];
  const centreRng = rng.child('centres');
  // The distance between two centres is about 4.2 deviations of a cloud, whatever the number of inputs.
  const reach = 3 / Math.sqrt(inputs);
  const centres = Float32Array.from({ length: inputs * classes }, () => reach * centreRng.gaussian());

  function draw(count: number, stream: Rng): Dataset {
    const labels = Int32Array.from({ length: count }, () => stream.below(classes));
    const features = new Float32Array(count * inputs);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < inputs; k++) {
        features[i * inputs + k] = centres[labels[i]! * inputs + k]! + stream.gaussian();
      }
    }
    return createDataset({ features, labels, scale: 1, sampleShape: [inputs], classCount: classes });
  }
  return { training: draw(counts.training, rng.child('training')), test: draw(counts.test, rng.child('test')) };
}

/** The samples of each client, by their indexes in the pool. */
export function dealSamples(
  labels: Int32Array,
  clientCount: number,
  partition: Partition,
  rng: Rng,
): readonly Uint32Array[] {
  const samplesMin = Math.max(1, Math.min(8, Math.floor(labels.length / (4 * clientCount))));
  const job = { labels, clientCount, samplesMin, rng };
  if (partition === 'iid') return partitionIid(job);
  if (partition === 'by-label') return partitionByLabel(job);
  if (partition === 'sorted') return partitionBySimilarity({ ...job, similarity: 0 });
  if ('similarity' in partition) return partitionBySimilarity({ ...job, ...partition });
  return partitionDirichlet({ ...job, ...partition });
}

/**
 * As `dealSamples`, but the partition is over the honest clients alone, and each attacker holds an even share at
 * random: an attacker is not bound to a site's data.
 */
export function dealAround(
  attackers: ReadonlyMap<number, unknown>,
  labels: Int32Array,
  { clientCount, partition, rng }: { readonly clientCount: number; readonly partition: Partition; readonly rng: Rng },
): readonly Uint32Array[] {
  const even = partitionIid({ labels, clientCount, rng: rng.child('attackers') });
  const rest = even.flatMap((share, i) => (attackers.has(i) ? [] : [...share])).sort((a, b) => a - b);
  const restLabels = Int32Array.from(rest, (index) => labels[index]!);
  const shares = dealSamples(restLabels, clientCount - attackers.size, partition, rng.child('honest'));
  const honest = shares.map((share) => share.map((index) => rest[index]!));
  return even.map((share, i) => (attackers.has(i) ? share : honest.shift()!));
}

/** What each client holds. */
export function dealDatasets(training: Dataset, shares: readonly Uint32Array[]): readonly Dataset[] {
  return shares.map((share) => subset(training, share));
}
