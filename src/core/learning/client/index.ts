import { z } from 'zod';
import type { AnyClientAlgorithm, ClientAlgorithm, ClientRound, ClientRoundResult } from './client-algorithm.ts';
import type { Vectors } from '../vectors.ts';
import { ditto } from './ditto.ts';
import { fedNova } from './fed-nova.ts';
import { fedProx } from './fed-prox.ts';
import { scaffold } from './scaffold.ts';
import { sgd } from './sgd.ts';

/** Every client algorithm by its id. A new one is a file and a line here. */
const clientAlgorithms = {
  sgd,
  'fed-prox': fedProx,
  'fed-nova': fedNova,
  scaffold,
  ditto,
} as const satisfies Record<string, AnyClientAlgorithm>;

/** `{ algorithm: 'fed-prox', mu: 0.1 }`: an unknown algorithm or option is an error that names its path. */
export const clientAlgorithmSchema = z.discriminatedUnion('algorithm', [
  sgd.schema,
  fedProx.schema,
  fedNova.schema,
  scaffold.schema,
  ditto.schema,
]);

export type ClientAlgorithmOptions = z.output<typeof clientAlgorithmSchema>;

/** What a client keeps before its first round. */
export function startClient({ algorithm }: ClientAlgorithmOptions, parameters: Float32Array): Vectors {
  return clientAlgorithms[algorithm].start(parameters);
}

/** A client's round under the chosen algorithm. */
export function runClientRound(
  options: ClientAlgorithmOptions,
  round: Omit<ClientRound<ClientAlgorithmOptions>, 'options'>,
): Promise<ClientRoundResult> {
  const chosen = clientAlgorithms[options.algorithm] as unknown as ClientAlgorithm<ClientAlgorithmOptions>;
  return chosen.run({ ...round, options });
}
