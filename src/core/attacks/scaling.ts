import type { Attack } from './attack.ts';
import { blend } from './attack.ts';

/**
 * Scaling: its own update, ten times as long.
 *
 * Formula:   10 x.
 * Source:    folklore.
 */
export const scaling: Attack = ({ own }) => blend([[10, own]]);
