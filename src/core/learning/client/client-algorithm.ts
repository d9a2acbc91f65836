import type { z } from 'zod';
import type { TrainerResult, TrainerTask } from '../../../ports/trainer.ts';
import type { Vectors } from '../vectors.ts';

/** What a client starts a round from. */
export type LocalRound<Options> = {
  readonly options: Options;
  /** The training of the global model as it was announced. */
  readonly task: TrainerTask;
  /** What the client kept. */
  readonly state: Vectors;
  /** What the server sent beside the model. */
  readonly server: Vectors;
};

/** What a client sends. */
export type LocalUpdate = {
  /** How the global model should change, by this client; divided by `accumulation`. */
  readonly delta: Float32Array;
  /**
   * What travels behind the delta, in this order: a control as long as the model, to be aggregated under the same name, or
   * what Newton's sums are beside their gradient.
   */
  readonly beside: Vectors;
  /** By how much local steps added up (FedNova); 1 where deltas are not normalised. */
  readonly accumulation: number;
  readonly claimedExamples: number;
};

/** One local training: the only thing an algorithm asks of a site's own code. */
export type Train = (task: TrainerTask) => Promise<TrainerResult>;

/** What a client does in a round, over any trainer. Every function but those that train is pure. */
export type ClientAlgorithm<Options> = {
  readonly schema: z.ZodType<Options>;
  /** The vector that travels beside model and update, if one does. */
  readonly travels: 'control' | null;
  /** Whether deltas are divided by what local steps add up to. */
  readonly isNormalised: boolean;
  /** Whether sums travel in place of a delta, which the coordinator solves with. */
  readonly isSummed: boolean;
  /** Whether a client keeps something from round to round. */
  readonly isKeeping: boolean;
  /** What a client keeps before its first round, given the global model. */
  start(parameters: Float32Array): Vectors;
  /** The training whose result is sent. */
  task(round: LocalRound<Options>): TrainerTask;
  update(round: LocalRound<Options>, result: TrainerResult): LocalUpdate;
  /** What is kept when the update has counted. May train once more. */
  keep(round: LocalRound<Options>, result: TrainerResult, train: Train): Promise<Vectors>;
  /** The site's own model, given the newest global one; null where it has none. */
  personal(round: LocalRound<Options>, train: Train): Promise<Float32Array> | null;
};

/** An algorithm whose options are not known yet. */
export type AnyClientAlgorithm = Omit<ClientAlgorithm<never>, 'schema'> & { readonly schema: z.ZodType };

/** What FedAvg's clients do; the others say in what they differ. */
const plain = {
  travels: null,
  isNormalised: false,
  isSummed: false,
  isKeeping: false,
  start: () => ({}),
  task: (round: LocalRound<unknown>) => round.task,
  update: (round: LocalRound<unknown>, result: TrainerResult): LocalUpdate => ({
    delta: difference(result.parameters, round.task.parameters),
    beside: {},
    accumulation: 1,
    claimedExamples: result.examples,
  }),
  keep: async (round: LocalRound<unknown>) => round.state,
  personal: () => null,
} as const;

/** Ties an algorithm's functions to the type of its schema; what is left out is as in FedAvg. */
export function defineClientAlgorithm<S extends z.ZodType>(
  schema: S,
  differs: Partial<Omit<ClientAlgorithm<z.output<S>>, 'schema'>> = {},
): Omit<ClientAlgorithm<z.output<S>>, 'schema'> & { readonly schema: S } {
  return { ...plain, ...differs, schema };
}

/** a − b in float32. */
export function difference(a: Float32Array, b: Float32Array): Float32Array {
  if (a.length !== b.length) {
    throw new RangeError(`Cannot use the trained weights as they must be ${b.length}: current value is ${a.length}`);
  }
  const result = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = a[i]! - b[i]!;
  return result;
}
