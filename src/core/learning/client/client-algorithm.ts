import type { z } from 'zod';
import type { TrainingEngine, TrainJob, TrainResult } from '../engine.ts';
import type { Vectors } from '../vectors.ts';

export type ClientRound<Options> = {
  readonly engine: TrainingEngine;
  /** The round's training, from the global model. */
  readonly job: TrainJob;
  readonly options: Options;
  /** What the client kept. */
  readonly state: Vectors;
  /** What the server sent beside the model. */
  readonly server: Vectors;
};

export type ClientRoundResult = {
  /** How the global model should change, by this client. */
  readonly delta: Float32Array;
  /** What travels beside the delta, to be averaged under the same name. */
  readonly extra: Vectors;
  /** By how much local steps added up (FedNova); 1 where deltas are not normalised. */
  readonly accumulation: number;
  readonly state: Vectors;
  /** The training of the global model: examples, steps and metrics. */
  readonly result: TrainResult;
};

/** What a client does in a round. */
export type ClientAlgorithm<Options> = {
  readonly schema: z.ZodType<Options>;
  /** What a client keeps before its first round, given the global model. */
  start(parameters: Float32Array): Vectors;
  run(round: ClientRound<Options>): Promise<ClientRoundResult>;
};

/** An algorithm whose options are not known yet. */
export type AnyClientAlgorithm = Omit<ClientAlgorithm<never>, 'schema'> & { readonly schema: z.ZodType };

/** Ties an algorithm's functions to the type of its schema. */
export function defineClientAlgorithm<S extends z.ZodType>(
  schema: S,
  functions: Omit<ClientAlgorithm<z.output<S>>, 'schema'>,
): Omit<ClientAlgorithm<z.output<S>>, 'schema'> & { readonly schema: S } {
  return { schema, ...functions };
}

/** Trains and gives back what changed, with nothing beside it. */
export async function trainedDelta(engine: TrainingEngine, job: TrainJob): Promise<Omit<ClientRoundResult, 'state'>> {
  const result = await engine.train(job);
  const delta = result.parameters.map((value, i) => value - job.parameters[i]!);
  return { delta, extra: {}, accumulation: 1, result };
}
