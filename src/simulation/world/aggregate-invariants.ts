import { createLocalPrivacy, protectedUpdate } from '../../client/local-privacy.ts';
import { codecs } from '../../core/compression/index.ts';
import type { LocalUpdate } from '../../core/learning/client/client-algorithm.ts';
import { localUpdate, wireVector } from '../../core/learning/client/index.ts';
import { sharedPart } from '../../core/learning/fed-bn.ts';
import { lastAggregate } from '../../core/learning/server/next-model.ts';
import { decodeVectors, type Vectors } from '../../core/learning/vectors.ts';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { planManifest, updateShape } from '../../core/plan/learning.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { type GlobalState, globalStep, type RoundUpdates } from '../../core/round/global-step.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { ModelRow } from '../../ports/store.ts';
import type { Disk } from './coordinator-ports.ts';
import type { Commit, Invariant, Truth } from './observed.ts';
import { releaseProblem } from './release-invariant.ts';
import { robustnessBound } from './robust-bound.ts';

/** What a published model was made of, by what the world knows and not by what the coordinator says. */
type Making = {
  readonly model: ModelRow;
  readonly updates: Omit<RoundUpdates, 'rows'> & { readonly rows: readonly Float32Array[] };
  /** Rows that may have been accepted instead, where a client that was killed has noised an update twice. */
  readonly others: readonly (readonly Float32Array[])[];
  readonly before: GlobalState;
  readonly after: GlobalState;
};

/**
 * The published model and what is stored beside it are, bit for bit, what the plan makes of the updates that were
 * accepted: of all, and of each once.
 */
export const modelIsTheAggregateOfTheAccepted: Invariant = (truth, refuse) => {
  const makingOf = createMaker(truth, refuse);
  return {
    async commit(commit, disk) {
      const making = await makingOf(commit, disk);
      if (making === undefined) return;
      const { updates, before, after, model } = making;
      const problems =
        truth.plan.privacy.mode === 'central'
          ? [await releaseProblem(truth.plan, commit, { rows: updates.rows, before, after }, disk)]
          : await problemsOf(making);
      for (const problem of problems) if (problem !== undefined) refuse(`round ${model.round}: ${problem}`);
    },
  };

  /** What is wrong with the rows as they should be; nothing where others that may have been accepted explain the model. */
  async function problemsOf(making: Making): Promise<readonly string[]> {
    const first = await differences(making, making.updates.rows);
    if (first.length === 0) return first;
    for (const rows of making.others) if ((await differences(making, rows)).length === 0) return [];
    return first;
  }

  async function differences(
    { updates, before, after, model }: Making,
    rows: readonly Float32Array[],
  ): Promise<readonly string[]> {
    const { next } = await globalStep(truth.plan, model.round, before, { ...updates, rows }, truth.compute);
    const made: Vectors = { ...after.optimizer, ...after.control, ...after.memory, model: after.model };
    const expected: Vectors = { ...next.optimizer, ...next.control, ...next.memory, model: next.model };
    return Object.entries(expected).flatMap(([name, values]) => {
      const index = values.findIndex((value, i) => !Object.is(value, made[name]?.[i]));
      return index === -1 ? [] : [`value ${index} of ${name} is ${made[name]?.[index]} and not ${values[index]}`];
    });
  }
};

/** With no more liars than the rule allows for, the aggregate is as near to the honest mean as its proof says. */
export const honestMajorityBoundsTheError: Invariant = (truth, refuse) => {
  const makingOf = createMaker(truth, () => {});
  return {
    async commit(commit, disk) {
      const making = await makingOf(commit, disk);
      // Under privacy the bound is on what noise hides: the release is checked as a whole.
      if (making === undefined || truth.plan.privacy.mode !== 'off') return;
      const problem = boundProblem(making, truth);
      if (problem !== undefined) refuse(`round ${making.model.round}: ${problem}`);
    },
  };
};

/** How a step breaks the bound of its rule; undefined where it does not, or where there is no bound. */
export function boundProblem(
  { updates: { rows: sent, clientIds }, before, after }: Pick<Making, 'updates' | 'before' | 'after'>,
  { plan, isHostile }: Pick<Truth, 'plan' | 'isHostile'>,
): string | undefined {
  const { deltaCount, isNormalised } = updateShape(plan);
  const bound = robustnessBound(plan.aggregation.pipeline, sent.length);
  const rows = sent.map((row) => row.subarray(0, deltaCount));
  const honest = rows.filter((_, i) => !isHostile(clientIds[i]!));
  // A normalised aggregate is multiplied by a number of steps that the bound says nothing of.
  if (bound === undefined || isNormalised || rows.length - honest.length > bound.f) return undefined;
  const manifest = planManifest(plan);
  const [from, to] = [sharedPart(manifest, before.model), sharedPart(manifest, after.model)];
  const mean = Float64Array.from(from, (_, k) => honest.reduce((sum, row) => sum + row[k]!, 0) / honest.length);
  const variance = honest.reduce((sum, row) => sum + distance2(row, mean), 0) / honest.length;
  const step = lastAggregate(plan.learning.server, { model: to, parent: from, state: after.optimizer });
  const error2 = distance2(step, mean);
  // The model is kept in float32, so a step is known to half a unit in the last place of its weights.
  const rounding = 1e-6 * (Math.hypot(...from) + Math.hypot(...mean)) + 1e-9;
  const reach = Math.sqrt(bound.kappa * variance) + rounding;
  if (Math.sqrt(error2) <= reach) return undefined;
  return `${Math.sqrt(error2)} from the honest mean where at most ${reach} is proven`;
}

/** An update as the coordinator reads it, and what the client keeps of it for the next. */
type Arrival = { readonly row: Float32Array; readonly leftOut: Float32Array };

/** Follows a run from model to model, with what each client has left out of the updates that counted. */
function createMaker(
  { plan, training, deflate, noise }: Truth,
  refuse: (problem: string) => void,
): (commit: Commit, disk: Disk) => Promise<Making | undefined> {
  const leftOut = new Map<string, Float32Array>();
  const { codec: codecId, topK } = plan.aggregation;
  const codec = codecs[codecId];

  /** What arrives of an update that counts, and what it leaves out. */
  function arrived(clientId: string, update: LocalUpdate): Arrival {
    const vector = wireVector(update).slice();
    const residual = topK?.errorFeedback === true ? leftOut.get(clientId) : undefined;
    residual?.forEach((value, i) => (vector[i]! += value));
    const options = topK === undefined ? {} : { topShare: topK.share };
    const row = codec.decode(codec.encode(vector, deflate, options), vector.length, deflate)!;
    return { row, leftOut: vector.map((value, i) => value - row[i]!) };
  }

  return async ({ entries, before: run, models }, disk) => {
    const isPublished = entries.some(({ kind }) => kind === 'model.published');
    if (!isPublished || run.round === null) return undefined;
    const model = models.at(-1)!;
    const { number } = run.round;
    const clientIds = Object.keys(run.round.accepted).sort();
    const sent = clientIds.map((clientId) => training.sent(number, clientId));
    if (sent.some((one) => one === undefined)) {
      refuse(`round ${number} counts a client that sent nothing`);
      return undefined;
    }
    const before = await stateOf(models.find(({ hash }) => hash === model.parentHash)!, disk, plan);
    const task = { parameters: before.model, round: number, seed: 0 };
    const updates = sent.map((result) =>
      localUpdate(plan.learning.client, { manifest: planManifest(plan), task, server: before.control }, result!),
    );
    const candidates = updates.map((update, i) => {
      const clientId = clientIds[i]!;
      return noised(plan, update, noise.replays(number, clientId)).map((one) => arrived(clientId, one));
    });
    const accepted = candidates.map((all) => all.at(-1)!);
    for (const [i, arrival] of accepted.entries()) leftOut.set(clientIds[i]!, arrival.leftOut);
    return {
      model,
      others: choices(candidates.map((all) => all.map(({ row }) => row))),
      before,
      after: await stateOf(model, disk, plan),
      updates: {
        clientIds,
        rows: accepted.map(({ row }) => row),
        // Under local privacy a site says no number of examples.
        claimedExamples: updates.map(({ claimedExamples }) => (plan.privacy.mode === 'local' ? 1 : claimedExamples)),
        accumulations: updates.map(({ accumulation }) => accumulation),
      },
    };
  };
}

/** An update as it may have left its site: under local privacy once for each time that it was noised. */
function noised(plan: Plan, update: LocalUpdate, replays: readonly Entropy[]): readonly LocalUpdate[] {
  if (plan.privacy.mode !== 'local' || replays.length === 0) return [update];
  return replays.map((entropy) =>
    protectedUpdate(update, createLocalPrivacy({ plan, entropy, released: 0, save: async () => {} })),
  );
}

const choicesMax = 64;

/** One of each, in every way, as far as that can be tried; none where there is nothing to choose. */
function choices<T>(all: readonly (readonly T[])[]): readonly (readonly T[])[] {
  const count = all.reduce((product, some) => product * some.length, 1);
  if (count === 1 || count > choicesMax) return [];
  return all.reduce<readonly (readonly T[])[]>(
    (chosen, some) => chosen.flatMap((before) => some.map((one) => [...before, one])),
    [[]],
  );
}

/** A model and what is stored beside it, as the disk has them. */
async function stateOf({ hash, parentHash }: ModelRow, disk: Disk, plan: Plan): Promise<GlobalState> {
  const read = async (at: string) => (await disk.blobs.get(at))!;
  const file = decodeSafetensors(await read(hash));
  const beside = async (name: string): Promise<Vectors> => {
    const at = file.metadata[`qflare.${name}`];
    return at === undefined ? {} : decodeVectors(await read(at)).vectors;
  };
  const manifest = planManifest(plan);
  return {
    model: valuesFor(manifest, file),
    parent: parentHash === null ? null : valuesFor(manifest, decodeSafetensors(await read(parentHash))),
    optimizer: await beside('optimizer'),
    control: await beside('control'),
    memory: await beside('memory'),
  };
}

function distance2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < b.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return sum;
}
