import { z } from 'zod';
import { fedAdagrad, fedAdam, fedYogi } from './adaptive.ts';
import { fedAvgM } from './fed-avg-m.ts';
import { fedAvg } from './fed-avg.ts';
import type { Vectors } from '../vectors.ts';
import type { AnyServerOptimizer, ServerOptimizer } from './server-optimizer.ts';

/** Every server optimiser by its id. A new one is a file and a line here; the schema and the laws follow. */
export const serverOptimizers = {
  'fed-avg': fedAvg,
  'fed-avg-m': fedAvgM,
  'fed-adagrad': fedAdagrad,
  'fed-adam': fedAdam,
  'fed-yogi': fedYogi,
} as const satisfies Record<string, AnyServerOptimizer>;

type Schemas = (typeof serverOptimizers)[keyof typeof serverOptimizers]['schema'];

/** `{ optimizer: 'fed-adam', learningRate: 0.05 }`: an unknown optimiser or option is an error that names its path. */
export const serverOptimizerSchema = z.discriminatedUnion(
  'optimizer',
  Object.values(serverOptimizers).map(({ schema }) => schema) as unknown as [
    (typeof fedAvg)['schema'],
    (typeof fedAvgM)['schema'],
  ],
) as unknown as z.ZodType<z.output<Schemas>, z.input<Schemas>>;

export type ServerOptimizerOptions = z.output<Schemas>;

/** The state of the chosen optimiser before the first round. */
export function startServer(options: ServerOptimizerOptions, d: number): Vectors {
  return chosen(options).start(d, options);
}

/**
 * One step of the chosen optimiser: the change of the global model, and the state for the next round.
 *
 * Errors: RangeError when aggregate and state differ in length.
 */
export function stepServer(
  options: ServerOptimizerOptions,
  aggregate: Float32Array,
  state: Vectors,
): { readonly change: Float32Array; readonly state: Vectors } {
  for (const [name, values] of Object.entries(state)) {
    if (values.length !== aggregate.length) {
      throw new RangeError(
        `Cannot step with ${options.optimizer} as its ${name} must have ${aggregate.length} values: ` +
          `current value is ${values.length}`,
      );
    }
  }
  return chosen(options).step({ aggregate, state, options });
}

function chosen(options: ServerOptimizerOptions): ServerOptimizer<ServerOptimizerOptions> {
  return serverOptimizers[options.optimizer] as unknown as ServerOptimizer<ServerOptimizerOptions>;
}
