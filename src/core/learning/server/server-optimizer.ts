import type { z } from 'zod';
import type { Vectors } from '../vectors.ts';

export type ServerStep<Options> = {
  /** The round's aggregate of the clients' deltas: the direction in which the model should go. */
  readonly aggregate: Float32Array;
  /** What the optimiser remembers between rounds. float32, so that it is stored like a model. */
  readonly state: Vectors;
  readonly options: Options;
};

/** Turns a round's aggregate into the change of the global model. */
export type ServerOptimizer<Options> = {
  readonly schema: z.ZodType<Options>;
  /** The state before the first round. */
  start(d: number, options: Options): Vectors;
  /** Pure: neither the aggregate nor the state is changed. */
  step(step: ServerStep<Options>): { readonly change: Float32Array; readonly state: Vectors };
};

/** An optimiser whose options are not known yet. */
export type AnyServerOptimizer = Omit<ServerOptimizer<never>, 'schema'> & { readonly schema: z.ZodType };

/** Ties an optimiser's functions to the type of its schema. */
export function defineServerOptimizer<S extends z.ZodType>(
  schema: S,
  functions: Omit<ServerOptimizer<z.output<S>>, 'schema'>,
): Omit<ServerOptimizer<z.output<S>>, 'schema'> & { readonly schema: S } {
  return { schema, ...functions };
}
