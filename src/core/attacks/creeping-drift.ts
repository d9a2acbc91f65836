import type { Attack } from './attack.ts';
import { hiddenDrift } from './hidden-drift.ts';

const creepPerRound = 0.05;
const creepMax = 1;

/**
 * Creeping drift: slow and hidden at once. It starts honest, and each round pulls a little more against the honest mean in
 * the way that keeps what is measured (`hiddenDrift`).
 *
 * Formula:   x − z_t ‖sd‖ m/‖m‖ on the coordinates with x ≠ 0, z_t = min(1, 0.05 · round).
 * Source:    ours.
 */
export const creepingDrift: Attack = (input) => hiddenDrift(Math.min(creepMax, creepPerRound * input.round))(input);
