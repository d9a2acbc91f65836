import { type AttackId, attacks, collusiveAttacks } from '../../core/attacks/index.ts';
import type { Rng } from '../../core/random/rng.ts';
import type { Trainer, TrainerResult, TrainerTask } from '../../ports/trainer.ts';
import { factsOf } from './trainer-facts.ts';

const roundsKept = 3;

/**
 * The trainers of all clients of a world. Training is a function of client and round, so it is done once, whoever asks:
 * the client, its next life after a kill, an omniscient attacker, or the check of what the coordinator made of it.
 */
export type Training = {
  trainerOf(clientId: string): Trainer;
  /** What this client's trainer gave in this round, if it was asked: its agent makes the update of it. */
  sent(round: number, clientId: string): TrainerResult | undefined;
};

export function createTraining(world: {
  readonly honest: ReadonlyMap<string, Trainer>;
  readonly attackOf: (clientId: string) => AttackId | undefined;
  /** What of a trainer's result a hostile client changes before it is sent. */
  readonly claimOf: (clientId: string, trainer: Trainer) => Trainer;
  /** The rule under attack, for attacks that search against it. */
  readonly aggregate: (rows: readonly Float32Array[]) => Promise<ArrayLike<number>>;
  readonly rng: Rng;
  /** Whether what is sent is kept for the invariants. */
  readonly isWatched: boolean;
  /** The task of another client in the same round, as its agent derives it from plan and what it keeps. */
  readonly taskOf: (clientId: string, task: TrainerTask) => Promise<TrainerTask>;
}): Training {
  const { honest, attackOf, claimOf, aggregate, rng, isWatched, taskOf } = world;
  const results = new Map<number, Map<string, Promise<TrainerResult>>>();
  const crafted = new Map<number, Map<AttackId, Promise<Float32Array>>>();
  const sent = new Map<number, Map<string, TrainerResult>>();
  type Seen = { readonly round: number; readonly updates: Promise<readonly Float32Array[]> };
  const seenFrom = new WeakMap<Float32Array, Seen>();
  const honestIds = [...honest.keys()].filter((clientId) => attackOf(clientId) === undefined).sort();

  function placeOf<K, T>(byRound: Map<number, Map<K, T>>, round: number): Map<K, T> {
    const known = byRound.get(round);
    if (known !== undefined) return known;
    const fresh = new Map<K, T>();
    byRound.set(round, fresh);
    for (const old of byRound.keys()) if (old <= round - roundsKept) byRound.delete(old);
    return fresh;
  }

  function trainHonestly(clientId: string, task: TrainerTask): Promise<TrainerResult> {
    const place = placeOf(results, task.round);
    const key = `${clientId}/${task.purpose ?? ''}`;
    const known = place.get(key);
    if (known !== undefined) return known;
    const result = honest.get(clientId)!.train(task);
    place.set(key, result);
    return result;
  }

  /** What the honest send in the round of a task. Attackers that start from one model see the very same rows. */
  function honestUpdates(task: TrainerTask): Promise<readonly Float32Array[]> {
    const known = seenFrom.get(task.parameters);
    if (known?.round === task.round) return known.updates;
    const updates = Promise.all(
      honestIds.map(async (clientId) => {
        const own = await taskOf(clientId, task);
        return difference((await trainHonestly(clientId, own)).parameters, own.parameters);
      }),
    );
    seenFrom.set(task.parameters, { round: task.round, updates });
    return updates;
  }

  async function craft(attack: AttackId, own: Float32Array, task: TrainerTask): Promise<Float32Array> {
    return attacks[attack]({
      own,
      honest: await honestUpdates(task),
      round: task.round,
      attackerCount: honest.size - honestIds.length,
      clientCount: honest.size,
      aggregate,
      seed: rng.child('collusion', task.round).uint32(),
    });
  }

  async function trainHostilely(clientId: string, attack: AttackId, task: TrainerTask): Promise<TrainerResult> {
    const result = await trainHonestly(clientId, task);
    const own = difference(result.parameters, task.parameters);
    const place = placeOf(crafted, task.round);
    const update = place.get(attack) ?? craft(attack, own, task);
    if (collusiveAttacks.has(attack)) place.set(attack, update);
    const sentUpdate = await update;
    return { ...result, parameters: task.parameters.map((value, i) => value + sentUpdate[i]!) };
  }

  return {
    trainerOf(clientId) {
      const attack = attackOf(clientId);
      const kind = factsOf(honest.get(clientId)!);
      const trainer = claimOf(clientId, {
        ...kind,
        train: (task) =>
          attack === undefined || task.purpose === 'personal'
            ? trainHonestly(clientId, task)
            : trainHostilely(clientId, attack, task),
        evaluate: (task) => honest.get(clientId)!.evaluate(task),
      });
      if (!isWatched) return trainer;
      return {
        ...kind,
        evaluate: (task) => trainer.evaluate(task),
        async train(task) {
          const result = await trainer.train(task);
          if (task.purpose !== 'personal') placeOf(sent, task.round).set(clientId, result);
          return result;
        },
      };
    },
    sent: (round, clientId) => sent.get(round)?.get(clientId),
  };
}

/** a − b in float32, as the agent subtracts. */
function difference(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) result[i] = a[i]! - b[i]!;
  return result;
}
