import { atomPair, type Atom, type DominatingPair } from './dominating-pair.ts';

/**
 * k-ary randomised response when the answer is replaced.
 *
 * Needs: 0 < p < 1 (the answer is uniform with probability p), k ≥ 2.
 */
export function randomizedResponsePair(noiseParameter: number, bucketCount: number): DominatingPair {
  const other = noiseParameter / bucketCount;
  const own = 1 - noiseParameter + other;
  const rest = (bucketCount - 2) * other;
  const atoms = [
    { upper: own, lower: other },
    { upper: other, lower: own },
    { upper: rest, lower: rest },
  ];
  return atomPair(atoms, { isSymmetric: true });
}

/**
 * The worst mechanism that is (ε, δ)-private: it stands for any other of which no more is known.
 *
 * Source: Kairouz, Oh and Viswanath 2015, arXiv:1311.0776.
 */
export function approximatePair(epsilon: number, delta: number): DominatingPair {
  const high = (1 - delta) / (1 + Math.exp(-epsilon));
  const low = (1 - delta) / (1 + Math.exp(epsilon));
  const atoms = [
    { upper: high, lower: low, loss: epsilon },
    { upper: low, lower: high, loss: -epsilon },
    { upper: delta, lower: 0 },
    { upper: 0, lower: delta },
  ];
  return atomPair(atoms, { isSymmetric: true });
}

/**
 * Discrete Laplace noise, P[x] = tanh(a/2) e^{−a|x|}, on an integer of bounded sensitivity.
 *
 * Needs: a > 0, sensitivity a positive integer.
 */
export function discreteLaplacePair(parameter: number, sensitivity: number): DominatingPair {
  const at = (x: number) => Math.tanh(parameter / 2) * Math.exp(-parameter * Math.abs(x));
  const tail = 1 / (1 + Math.exp(-parameter));
  const shrink = Math.exp(-parameter * sensitivity);
  const atoms: Atom[] = [
    { upper: tail, lower: tail * shrink, loss: parameter * sensitivity },
    { upper: tail * shrink, lower: tail, loss: -parameter * sensitivity },
  ];
  for (let x = 1; x < sensitivity; x++) {
    atoms.push({ upper: at(x), lower: at(x - sensitivity), loss: parameter * (sensitivity - 2 * x) });
  }
  return atomPair(atoms, { isSymmetric: true });
}

/**
 * Discrete Gaussian noise, P[x] ∝ e^{−x²/2σ²}, on one integer of bounded sensitivity.
 *
 * Formula: loss at x = Δ (Δ − 2x) ÷ 2σ²; outcomes beyond 15 σ (mass below 1e-49) are left out.
 * Needs:   σ > 0, sensitivity a positive integer. A vector is not dominated by this pair; use its zCDP.
 */
export function discreteGaussianPair(sigma: number, sensitivity: number): DominatingPair {
  const reach = Math.ceil(15 * sigma) + 2 * sensitivity;
  const at = (x: number) => Math.exp((-x * x) / (2 * sigma * sigma));
  let total = 0;
  for (let x = -reach; x <= reach; x++) total += at(x);
  const atoms: Atom[] = [];
  for (let x = -reach; x <= reach + sensitivity; x++) {
    const loss = (sensitivity * (sensitivity - 2 * x)) / (2 * sigma * sigma);
    atoms.push({ upper: at(x) / total, lower: at(x - sensitivity) / total, loss });
  }
  return atomPair(atoms, { isSymmetric: true, isUnbounded: true });
}
