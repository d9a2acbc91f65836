import type { Attack, AttackInput } from './attack.ts';
import { blend, seen } from './attack.ts';
import { deviationOf, lengthOf, meanOf } from './statistics.ts';

/** Scaling: its own update, ten times as long. */
export const scaling: Attack = ({ own }) => blend([[10, own]]);

/**
 * Sign drift: the attacker's own update, pushed in each coordinate against the sign of the honest mean.
 *
 * Formula:   x − z · sign(mean) · sd of the honest.
 */
export function signDrift(z: number): Attack {
  return (input) => {
    const { honest, mean } = honestOf(input);
    const push = deviationOf(honest, mean).map((value, k) => -Math.sign(mean[k]!) * value);
    return blend([
      [1, input.own],
      [z, push],
    ]);
  };
}

/**
 * Hidden drift: knows what is measured. It shifts its own update against the honest mean, in proportion to the mean (so
 * that layers keep the sums that honest training gives them), and only where its own update is not zero.
 *
 * Formula:   x − z ‖sd‖ m/‖m‖ on the coordinates with x ≠ 0.
 */
export function hiddenDrift(z: number): Attack {
  return (input) => {
    const { honest, mean } = honestOf(input);
    const length = lengthOf(mean);
    const scale = length === 0 ? 0 : (z * lengthOf(deviationOf(honest, mean))) / length;
    return input.own.map((value, k) => (value === 0 ? 0 : value - scale * mean[k]!));
  };
}

function honestOf(input: AttackInput): { honest: readonly Float32Array[]; mean: Float64Array } {
  const honest = seen(input);
  return { honest, mean: meanOf(honest) };
}
