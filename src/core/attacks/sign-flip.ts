import type { Attack } from './attack.ts';
import { blend } from './attack.ts';

/**
 * Sign flip: sends its own update backwards.
 *
 * Formula:   −x.
 * Source:    Allen-Zhu et al. 2020, arXiv:2012.14368; ByzFL flips the honest mean instead.
 */
export const signFlip: Attack = ({ own }) => blend([[-1, own]]);
