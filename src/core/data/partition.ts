import type { Rng } from '../random/rng.ts';
import { dirichlet } from './dirichlet.ts';

/** How samples are dealt to clients: their labels, over how many clients, at least how many each. */
export type PartitionJob = {
  readonly labels: Int32Array;
  readonly clientCount: number;
  /** No client gets fewer samples than this: samples are moved at random from the largest client. Default 1. */
  readonly samplesMin?: number;
  readonly rng: Rng;
};

/**
 * Deals each class over the clients in proportions drawn from a Dirichlet distribution: small α, skewed labels.
 *
 * Formula:  p_c ~ Dir(α, …, α) for each class c; client i gets the share p_ci of the class, cut at rounded sums.
 * Promises: each index is dealt exactly once; the same seed deals the same; every client has ≥ samplesMin.
 * Errors:   RangeError when α is not positive or there are fewer samples than clients × samplesMin.
 * Source:   Hsu, Qi, Brown 2019, arXiv:1909.06335, as per-class shares in Li et al. 2021, arXiv:2102.02079.
 */
export function partitionDirichlet(job: PartitionJob & { readonly alpha: number }): Uint32Array[] {
  checkJob(job);
  const { labels, clientCount, rng, alpha } = job;
  const shares: number[][] = Array.from({ length: clientCount }, () => []);
  for (const [label, indexes] of [...indexesByLabel(labels)].sort(([a], [b]) => a - b)) {
    const stream = rng.child('class', label);
    stream.shuffleInPlace(indexes);
    const proportions = dirichlet(alpha, clientCount, stream);
    let start = 0;
    let total = 0;
    for (let client = 0; client < clientCount; client++) {
      total += proportions[client]!;
      const end = client === clientCount - 1 ? indexes.length : Math.round(Math.min(1, total) * indexes.length);
      for (let i = start; i < end; i++) shares[client]!.push(indexes[i]!);
      start = Math.max(start, end);
    }
  }
  fillUp(shares, job.samplesMin ?? 1, rng.child('fill'));
  return shares.map((share, client) => rng.child('client', client).shuffleInPlace(Uint32Array.from(share)));
}

/** Deals shuffled samples evenly: sizes differ by at most one. Errors as in `partitionDirichlet`. */
export function partitionIid(job: PartitionJob): Uint32Array[] {
  checkJob(job);
  const order = job.rng.shuffleInPlace(Uint32Array.from(job.labels.keys()));
  return cutEvenly(order, job.clientCount);
}

/**
 * Sorts by label and deals contiguous runs, `runsPerClient` to each client at random: the pathological split.
 *
 * Errors: as in `partitionDirichlet`.
 * Source: McMahan et al. 2017, arXiv:1602.05629, section 3 (two runs per client).
 */
export function partitionByLabel(job: PartitionJob & { readonly runsPerClient?: number }): Uint32Array[] {
  checkJob(job);
  const { labels, clientCount, rng, runsPerClient = 2 } = job;
  const order = rng.shuffleInPlace(Uint32Array.from(labels.keys())).sort((a, b) => labels[a]! - labels[b]!);
  const runs = rng.shuffleInPlace(cutEvenly(order, clientCount * runsPerClient));
  const shares = Array.from({ length: clientCount }, (_, client) =>
    runs.slice(client * runsPerClient, (client + 1) * runsPerClient).flatMap((run) => [...run]),
  );
  fillUp(shares, job.samplesMin ?? 1, rng.child('fill'));
  return shares.map((share) => Uint32Array.from(share));
}

/**
 * γ-similarity: a share γ of the samples is dealt evenly at random, the rest sorted by label in equal contiguous runs.
 *
 * Formula:  γ = 1 is IID; γ = 0 is label-sorted, one run for each client.
 * Promises: each index is dealt exactly once; sizes differ by at most two.
 * Errors:   RangeError when γ is not in [0, 1], or as in `partitionDirichlet`.
 * Source:   Karimireddy et al. 2020, arXiv:1910.06378, section 7; ByzFL `DataDistributor`.
 */
export function partitionBySimilarity(job: PartitionJob & { readonly similarity: number }): Uint32Array[] {
  checkJob(job);
  const { labels, clientCount, rng, similarity } = job;
  if (!(similarity >= 0 && similarity <= 1)) {
    throw new RangeError(`Cannot deal samples as similarity must be from 0 to 1: current value is ${similarity}`);
  }
  const order = rng.shuffleInPlace(Uint32Array.from(labels.keys()));
  const count = Math.round(similarity * order.length);
  const alike = cutEvenly(order.slice(0, count), clientCount);
  const sorted = cutEvenly(
    order.slice(count).sort((a, b) => labels[a]! - labels[b]!),
    clientCount,
  );
  const runs = rng.child('runs').shuffleInPlace(sorted);
  const shares = alike.map((share, client) => [...share, ...runs[client]!]);
  fillUp(shares, job.samplesMin ?? 1, rng.child('fill'));
  return shares.map((share) => Uint32Array.from(share));
}

/**
 * Sets a share of the samples aside, at random.
 *
 * Promises: each index is in exactly one part; `heldOut` has round(count × share), both parts at least one sample.
 * Errors:   RangeError when the share is not inside (0, 1) or there are fewer than two samples.
 */
export function splitHoldOut(
  indexes: ArrayLike<number>,
  share: number,
  rng: Rng,
): { readonly kept: Uint32Array; readonly heldOut: Uint32Array } {
  if (!(share > 0 && share < 1)) {
    throw new RangeError(`Cannot split samples as the held-out share must be inside (0, 1): current value is ${share}`);
  }
  if (indexes.length < 2) {
    throw new RangeError(`Cannot split samples as there must be at least 2: current value is ${indexes.length}`);
  }
  const order = rng.shuffleInPlace(Uint32Array.from(indexes));
  const count = Math.min(order.length - 1, Math.max(1, Math.round(order.length * share)));
  return { heldOut: order.slice(0, count), kept: order.slice(count) };
}

function checkJob({ labels, clientCount, samplesMin = 1 }: PartitionJob): void {
  if (!Number.isInteger(clientCount) || clientCount < 1) {
    throw new RangeError(`Cannot deal samples as clientCount must be an integer ≥ 1: current value is ${clientCount}`);
  }
  if (!Number.isInteger(samplesMin) || samplesMin < 0 || samplesMin * clientCount > labels.length) {
    throw new RangeError(
      `Cannot deal samples as samplesMin must be an integer from 0 to ${Math.floor(labels.length / clientCount)} ` +
        `(${labels.length} samples over ${clientCount} clients): current value is ${samplesMin}`,
    );
  }
}

function indexesByLabel(labels: Int32Array): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [index]);
    else group.push(index);
  });
  return groups;
}

function cutEvenly(order: Uint32Array, parts: number): Uint32Array[] {
  return Array.from({ length: parts }, (_, part) =>
    order.slice(Math.floor((part * order.length) / parts), Math.floor(((part + 1) * order.length) / parts)),
  );
}

function fillUp(shares: number[][], samplesMin: number, rng: Rng): void {
  for (const share of shares) {
    while (share.length < samplesMin) {
      const largest = shares.reduce((best, other) => (other.length > best.length ? other : best));
      const taken = rng.below(largest.length);
      share.push(largest[taken]!);
      largest[taken] = largest[largest.length - 1]!;
      largest.pop();
    }
  }
}
