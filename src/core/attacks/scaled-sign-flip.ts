import type { Attack } from './attack.ts';
import { blend } from './attack.ts';

/**
 * Scaled sign flip: sends its own update backwards and ten times as long.
 *
 * Formula:   −10 x.
 * Source:    as sign flip; the factor is that of the outside vectors.
 */
export const scaledSignFlip: Attack = ({ own }) => blend([[-10, own]]);
