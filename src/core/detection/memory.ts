import { windowMax } from './limits.ts';
import type { Scores } from './measure/standing.ts';
import { badnessOf, newcomer, type Reputation, withEvidence } from './reputation.ts';

/** What is kept of one client over rounds: numbers, never its update. */
export type ClientMemory = {
  /** Scores of the last 20 participations, the newest last. */
  readonly trail: readonly Scores[];
  /** Where the sketch of its last update is: a file of sketches, and the place in it. */
  readonly sketch: { readonly file: string; readonly index: number } | null;
  readonly reputation: Reputation;
};

/** What detection remembers of a run: a fold of the journal, so that a restart changes no verdict. */
export type Memory = {
  /** Of the sketches; drawn at the first round. */
  readonly seed: number | null;
  readonly clients: Readonly<Record<string, ClientMemory>>;
  /** Files of sketches of the last rounds, oldest first. */
  readonly files: readonly string[];
  /** Files that nobody needs any more: to be removed with the next round. */
  readonly stale: readonly string[];
};

export const emptyMemory: Memory = { seed: null, clients: {}, files: [], stale: [] };

/** Rounds whose steps the prediction learns from, and one more to take differences. */
const filesMax = 6;

/** A round as detection saw it: one verdict and one row of scores for each client that took part. */
export type Inspection = {
  readonly round: number;
  readonly seed: number;
  /** The file with this round's sketches; the clients in it are those of `scores`, in order. */
  readonly file: string;
  readonly scores: readonly { readonly clientId: string; readonly scores: Scores }[];
  readonly verdicts: readonly { readonly clientId: string; readonly isFlagged: boolean; readonly rarity: number }[];
};

/** The memory of a client; an empty one for a newcomer. */
export function memoryOf(memory: Memory, clientId: string): ClientMemory {
  return memory.clients[clientId] ?? { trail: [], sketch: null, reputation: newcomer };
}

/** The memory after a round. */
export function remember(memory: Memory, inspection: Inspection): Memory {
  const { round, seed, file, scores, verdicts } = inspection;
  const clients = { ...memory.clients };
  for (const [index, one] of scores.entries()) {
    const before = memoryOf(memory, one.clientId);
    const verdict = verdicts.find(({ clientId }) => clientId === one.clientId);
    clients[one.clientId] = {
      trail: [...before.trail, one.scores].slice(-windowMax),
      sketch: { file, index },
      reputation:
        verdict === undefined ? before.reputation : withEvidence(before.reputation, badnessOf(verdict), round),
    };
  }
  const files = [...memory.files.filter((known) => known !== file), file].slice(-filesMax);
  const needed = new Set([...files, ...Object.values(clients).flatMap(({ sketch }) => sketch?.file ?? [])]);
  const known = new Set([
    ...memory.files,
    ...memory.stale,
    ...Object.values(memory.clients).flatMap(({ sketch }) => sketch?.file ?? []),
  ]);
  return { seed, clients, files, stale: [...known].filter((name) => !needed.has(name)) };
}

/** The memory after updates were refused that no honest program sends: as bad as evidence gets. */
export function rememberRefusals(memory: Memory, clientIds: readonly string[], round: number): Memory {
  if (clientIds.length === 0) return memory;
  const clients = { ...memory.clients };
  for (const clientId of new Set(clientIds)) {
    const before = memoryOf(memory, clientId);
    clients[clientId] = { ...before, reputation: withEvidence(before.reputation, 1, round) };
  }
  return { ...memory, clients };
}
