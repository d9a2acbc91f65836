/**
 * Duchi's mechanism for one number in [−1, 1]: ±magnitude, unbiased.
 *
 * Formula: P[+] = ½ + x (e^ε − 1) ÷ (2 e^ε + 2), magnitude = (e^ε + 1) ÷ (e^ε − 1).
 * Source:  Duchi, Jordan and Wainwright 2018, arXiv:1604.02390.
 */
export function duchi(epsilon: number, x: number): { readonly probabilityPlus: number; readonly magnitude: number } {
  const tilt = Math.tanh(epsilon / 2);
  return { probabilityPlus: 0.5 + (x * tilt) / 2, magnitude: 1 / tilt };
}
