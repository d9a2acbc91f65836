/** Sums over samples of the cross-entropy and of right answers, from logits. */
export type Score = {
  /** `logits` hold a row for each index, in order; more rows do not count. */
  add(logits: Float32Array, labels: Int32Array, indexes: Uint32Array): void;
  reset(): void;
  lossSum(): number;
  correctCount(): number;
};

/**
 * Scores logits in float64.
 *
 * Formula: loss = log Σ_j exp(z_j − max z) − (z_label − max z); right when the first largest logit is the label's.
 */
export function createScore(classCount: number): Score {
  let [loss, correct] = [0, 0];
  return {
    add(logits, labels, indexes) {
      for (let row = 0; row < indexes.length; row++) {
        const start = row * classCount;
        let best = start;
        for (let j = start + 1; j < start + classCount; j++) if (logits[j]! > logits[best]!) best = j;
        let total = 0;
        for (let j = start; j < start + classCount; j++) total += Math.exp(logits[j]! - logits[best]!);
        const label = start + labels[indexes[row]!]!;
        loss += Math.log(total) - (logits[label]! - logits[best]!);
        correct += Number(best === label);
      }
    },
    reset: () => void ([loss, correct] = [0, 0]),
    lossSum: () => loss,
    correctCount: () => correct,
  };
}
