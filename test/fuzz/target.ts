import type { Rng } from '../../src/core/random/rng.ts';

/** Something that reads what others have written. */
export type Target = {
  /** Its part of all cases, against the other targets. */
  readonly weight: number;
  /** Makes the input of one case. */
  make(rng: Rng): unknown;
  /** Reads it. Throws a Finding where a promise is broken; any other error must be one of `errors`. Says whether it was accepted. */
  read(input: never): boolean | Promise<boolean>;
  /** The errors that this reader documents; none for whatever comes over the wire. */
  readonly errors: readonly (new (
    ...args: never[]
  ) => Error)[];
};

/** A promise that was broken. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

export function promise(isKept: boolean, problem: string): void {
  if (!isKept) throw new Finding(problem);
}

export function define<T>(
  target: Omit<Target, 'make' | 'read'> & { make(rng: Rng): T; read(input: T): boolean | Promise<boolean> },
): Target {
  return target as unknown as Target;
}
