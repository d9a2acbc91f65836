import type { AtRest } from '../ports/at-rest.ts';

/** For worlds whose disk is this process's memory: nothing rests anywhere, and nothing is sealed. */
export const memoryAtRest: AtRest = {
  seal: (_place, plaintext) => plaintext,
  open: (_place, sealed) => sealed,
};
