import type { Attack } from './attack.ts';
import { blend } from './attack.ts';

/** Scaling: its own update, ten times as long. */
export const scaling: Attack = ({ own }) => blend([[10, own]]);
