import { hiddenDrift } from './hidden-drift.ts';
import { createRng } from '../random/rng.ts';
import type { Attack } from './attack.ts';
import { blend, seen } from './attack.ts';
import { deviationOf, lengthOf, meanOf } from './statistics.ts';

const driftPerRound = 0.02;
const driftMax = 0.4;

/**
 * Slow drift: its own update, shifted a little more each round, and never by half a deviation.
 *
 * Formula:   x − min(0.4, 0.02 · round) · sd of the honest, against the mean's sign.
 */
export const slowDrift: Attack = (input) => {
  const honest = seen(input);
  const mean = meanOf(honest);
  const shift = Math.min(driftMax, driftPerRound * input.round);
  const push = deviationOf(honest, mean).map((value, k) => -Math.sign(mean[k]!) * value);
  return blend([
    [1, input.own],
    [shift, push],
  ]);
};

const burstRounds = 5;

/** On/off: five honest rounds, five rounds of sign flip, and again. Meant against reputations that forgive. */
export const onOff: Attack = ({ own, round }) => {
  const isHostile = Math.floor(round / burstRounds) % 2 === 1;
  return isHostile ? blend([[-1, own]]) : own.slice();
};

/**
 * Lazy: a free rider that trains nothing and sends a little noise so as not to be silent.
 *
 * Formula:   normal noise of a tenth of the length of an honest update.
 * Source:    Lin et al. 2019, arXiv:1911.12560.
 */
export const lazy: Attack = ({ own, round, seed }) => {
  const rng = createRng(seed).child('lazy', round);
  const deviation = lengthOf(own) / Math.sqrt(Math.max(1, own.length)) / 10;
  return own.map(() => deviation * rng.gaussian());
};

/**
 * Sybils: many identities, one mind. Each sends the same hostile direction with a trace of noise of its own.
 *
 * Formula:   a random direction that the colluders share (their seed), as long as an honest update, plus 1 % of one's own.
 * Source:    Fung et al. 2020, arXiv:1808.04866, section 3.
 */
export const sybil: Attack = ({ own, seed }) => {
  const rng = createRng(seed).child('sybil');
  const direction = Float64Array.from(own, () => rng.gaussian());
  return blend([
    [lengthOf(own) / lengthOf(direction), direction],
    [0.01, own],
  ]);
};

const creepPerRound = 0.05;
const creepMax = 1;

/**
 * Creeping drift: slow and hidden at once. It starts honest, and each round pulls a little more against the honest mean in
 * the way that keeps what is measured (`hiddenDrift`).
 *
 * Formula:   x − z_t ‖sd‖ m/‖m‖ on the coordinates with x ≠ 0, z_t = min(1, 0.05 · round).
 */
export const creepingDrift: Attack = (input) => hiddenDrift(Math.min(creepMax, creepPerRound * input.round))(input);
