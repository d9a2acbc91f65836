import type { Samples } from './samples.ts';

/** Makes hostile labels anew in every round: it may ask what the model of the round loses on any labelling. */
export type LivePoison = (
  samples: Samples,
  /** The mean loss of the round's model on these samples with this one label. */
  lossOf: (indexes: Uint32Array, label: number) => Promise<number>,
) => Promise<Int32Array>;

/**
 * Dynamic label flip: in every round each class gets the label that the model of that round believes least of its samples,
 * so that the pull is the strongest that a relabelling by class can give, however the model has moved.
 *
 * Formula:   y ↦ argmax_{c ≠ y} mean loss(w_t; x, c) over own samples x of class y; ties to the lowest c.
 * Cost:      classes − 1 evaluations of each own sample a round.
 * Source:    Shejwalkar et al. 2022, arXiv:2108.10241 (dynamic label flipping); by class in place of by sample is ours.
 */
export const dynamicLabelFlip: LivePoison = async ({ labels, classCount }, lossOf) => {
  const flipped = labels.slice();
  for (let y = 0; y < classCount; y++) {
    const own = Uint32Array.from(labels.keys()).filter((i) => labels[i] === y);
    if (own.length === 0) continue;
    let [worst, loss] = [y, Number.NEGATIVE_INFINITY];
    for (let c = 0; c < classCount; c++) {
      if (c === y) continue;
      const lost = await lossOf(own, c);
      if (lost > loss) [worst, loss] = [c, lost];
    }
    for (const i of own) flipped[i] = worst;
  }
  return flipped;
};
