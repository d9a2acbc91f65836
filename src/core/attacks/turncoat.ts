import type { Attack, AttackInput } from './attack.ts';
import { blend, counts, seen } from './attack.ts';
import { distance2, lengthOf, meanOf } from './statistics.ts';

const honestRounds = 20;
/** Lengths that are tried, in median honest lengths. */
const lengths = [0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24];

/**
 * Turncoat: knows a rule with a memory. It is honest until it is known; then it sends its own update backwards, as long as
 * does the most harm: it searches for the length that the rule's own gates let through.
 *
 * Formula:   x for 20 rounds, then −λ med‖x_j‖ x/‖x‖, λ of eleven that moves the rule's output farthest from the honest
 *            mean; in the search the colluders send f other honest updates backwards. Without a rule to search against: 1.
 * Source:    ours; honest until trusted is the on-off attack on reputations (Sun et al. 2006).
 */
export const turncoat: Attack = async (input) => {
  if (input.round <= honestRounds) return input.own.slice();
  const honest = seen(input);
  const usual = honest.map(lengthOf).sort((a, b) => a - b)[honest.length >> 1]!;
  return backwards(input.own, usual * (await foundTogether(input, honest, usual)));
};

type Found = { readonly aggregate: AttackInput['aggregate']; readonly f: number; readonly length: Promise<number> };
const found = new WeakMap<readonly Float32Array[], Found>();

/** The search asks for nothing of an attacker's own: colluders that see the very same rows search once. */
function foundTogether(input: AttackInput, honest: readonly Float32Array[], usual: number): Promise<number> {
  const { aggregate } = input;
  const { f } = counts(input);
  const known = found.get(honest);
  if (known !== undefined && known.aggregate === aggregate && known.f === f) return known.length;
  const length = harshest(input, honest, usual);
  found.set(honest, { aggregate, f, length });
  return length;
}

async function harshest(input: AttackInput, honest: readonly Float32Array[], usual: number): Promise<number> {
  const { aggregate } = input;
  if (aggregate === undefined) return 1;
  const mean = meanOf(honest);
  const colluders = honest.slice(0, counts(input).f);
  let best = { length: 0, damage: Number.NEGATIVE_INFINITY };
  for (const length of lengths) {
    const output = await aggregate([...honest, ...colluders.map((update) => backwards(update, length * usual))]);
    const damage = distance2(output, mean);
    if (damage > best.damage) best = { length, damage };
  }
  return best.length;
}

/** An update turned round, at this length. */
function backwards(update: Float32Array, length: number): Float32Array {
  return blend([[-length / Math.max(lengthOf(update), Number.MIN_VALUE), update]]);
}
