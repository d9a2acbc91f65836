import { z } from 'zod';
import type { TrainerResult, TrainerTask } from '../../../ports/trainer.ts';
import type { Manifest } from '../../model/manifest.ts';
import { isWhollyShared, sharedPart, withShared } from '../fed-bn.ts';
import type { Vectors } from '../vectors.ts';
import type { AnyClientAlgorithm, ClientAlgorithm, LocalRound, LocalUpdate, Train } from './client-algorithm.ts';
import { ditto } from './ditto.ts';
import { fedNova } from './fed-nova.ts';
import { fedProx } from './fed-prox.ts';
import { fineTuning } from './fine-tuning.ts';
import { newton } from './newton.ts';
import { scaffold } from './scaffold.ts';
import { sgd } from './sgd.ts';

/** Every client algorithm by its id. A new one is a file and a line here; the schema and the laws follow. */
export const clientAlgorithms = {
  sgd,
  'fed-prox': fedProx,
  'fed-nova': fedNova,
  scaffold,
  ditto,
  'fine-tuning': fineTuning,
  newton,
} as const satisfies Record<string, AnyClientAlgorithm>;

type Schemas = (typeof clientAlgorithms)[keyof typeof clientAlgorithms]['schema'];

/** `{ algorithm: 'fed-prox', mu: 0.1 }`: an unknown algorithm or option is an error that names its path. */
export const clientAlgorithmSchema = z.discriminatedUnion(
  'algorithm',
  Object.values(clientAlgorithms).map(({ schema }) => schema) as unknown as [
    (typeof sgd)['schema'],
    (typeof fedProx)['schema'],
  ],
) as unknown as z.ZodType<z.output<Schemas>, z.input<Schemas>>;

export type ClientAlgorithmOptions = z.output<Schemas>;

/** A round of one client, whatever its algorithm is. Tensors that the manifest keeps on the client are left out of `server`. */
export type ClientRound = {
  readonly manifest: Manifest;
  /** As it was announced: the global model. */
  readonly task: TrainerTask;
  /** What the client kept; undefined before its first round. */
  readonly state: Vectors | undefined;
  readonly server: Vectors;
};

/** The name under which a client keeps the tensors that do not travel, in a whole model. */
const ownName = 'own';

/** What the plan and the wire need to know of an algorithm before anybody trains. */
export function traitsOf({
  algorithm,
}: ClientAlgorithmOptions): Pick<AnyClientAlgorithm, 'travels' | 'isNormalised' | 'isSummed' | 'isKeeping'> {
  return clientAlgorithms[algorithm];
}

/** The training whose result a client sends. */
export function localTask(options: ClientAlgorithmOptions, round: ClientRound): TrainerTask {
  return chosen(options).task(given(options, round));
}

/** What a client sends, from what its trainer gave: needs nothing of what the client keeps. */
export function localUpdate(
  options: ClientAlgorithmOptions,
  round: Omit<ClientRound, 'state'>,
  result: TrainerResult,
): LocalUpdate {
  return sharedUpdate(round.manifest, chosen(options).update(given(options, { ...round, state: undefined }), result));
}

/** A client's round: what is sent, and what is kept once that has counted. */
export async function runClientRound(
  options: ClientAlgorithmOptions,
  round: ClientRound,
  train: Train,
): Promise<{ readonly update: LocalUpdate; readonly state: Vectors }> {
  const { manifest } = round;
  const { task, update, keep } = chosen(options);
  const local = given(options, round);
  const result = await train(task(local));
  const state = await keep(local, result, train);
  return {
    update: sharedUpdate(manifest, update(local, result)),
    state: isWhollyShared(manifest) ? state : { ...state, [ownName]: result.parameters },
  };
}

/** The one vector that travels: the delta, and behind it what goes beside it. */
export function wireVector({ delta, beside }: LocalUpdate): Float32Array {
  const behind = Object.values(beside);
  if (behind.length === 0) return delta;
  const vector = new Float32Array(behind.reduce((sum, { length }) => sum + length, delta.length));
  vector.set(delta);
  let offset = delta.length;
  for (const values of behind) {
    vector.set(values, offset);
    offset += values.length;
  }
  return vector;
}

/** What an update says of itself. */
export function updateClaims(
  { learning }: { readonly learning: { readonly client: ClientAlgorithmOptions } },
  { claimedExamples, accumulation }: LocalUpdate,
): { readonly claimedExamples: number; readonly accumulation?: number } {
  return traitsOf(learning.client).isNormalised ? { claimedExamples, accumulation } : { claimedExamples };
}

/** A site's own model beside the newest global one; null where the algorithm has none. */
export function personalModel(
  options: ClientAlgorithmOptions,
  round: ClientRound,
  train: Train,
): Promise<Float32Array> | null {
  return chosen(options).personal(given(options, round), train);
}

/** The model that a site trains from and evaluates: the global one, but for the tensors that stay on the client. */
export function siteParameters({ manifest, task, state }: Omit<ClientRound, 'server'>): Float32Array {
  const own = state?.[ownName];
  if (own === undefined) return task.parameters;
  return withShared(manifest, own, sharedPart(manifest, task.parameters));
}

function given(options: ClientAlgorithmOptions, round: ClientRound): LocalRound<ClientAlgorithmOptions> {
  const { manifest, task } = round;
  const parameters = siteParameters(round);
  const zeros = () => new Float32Array(parameters.length);
  const server = isWhollyShared(manifest)
    ? round.server
    : Object.fromEntries(Object.entries(round.server).map(([name, of]) => [name, withShared(manifest, zeros(), of)]));
  const state = { ...chosen(options).start(parameters), ...round.state };
  return { options, state, server, task: { ...task, parameters } };
}

function sharedUpdate(manifest: Manifest, update: LocalUpdate): LocalUpdate {
  if (isWhollyShared(manifest)) return update;
  const beside = Object.entries(update.beside).map(([name, vector]) => [name, sharedPart(manifest, vector)] as const);
  return { ...update, delta: sharedPart(manifest, update.delta), beside: Object.fromEntries(beside) };
}

function chosen(options: ClientAlgorithmOptions): ClientAlgorithm<ClientAlgorithmOptions> {
  return clientAlgorithms[options.algorithm] as unknown as ClientAlgorithm<ClientAlgorithmOptions>;
}
