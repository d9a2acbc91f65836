// What detection saw of a run, kept on disk: judged again and again, without training again.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { medianOf } from '../../src/core/aggregation/rule.ts';
import type { Observation } from '../../src/core/detection/detector.ts';
import type { DetectorId } from '../../src/core/detection/index.ts';
import { judge } from '../../src/core/detection/judge.ts';
import { windowMax } from '../../src/core/detection/limits.ts';
import { featureIds } from '../../src/core/detection/measure/features.ts';
import type { Scores } from '../../src/core/detection/measure/standing.ts';
import type { Hostility } from '../../src/simulation/index.ts';
import type { Decision } from './statistics.ts';
import { type PartitionName, ruleName, run } from './setting.ts';

/** By rule: what clients send depends on the models that the rule has made. */
const folder = fileURLToPath(new URL(`../../runs/detection/recordings/${ruleName}/`, import.meta.url));
mkdirSync(folder, { recursive: true });

export type Recorded = {
  readonly partition: PartitionName;
  readonly attack: Hostility | 'none';
  readonly seed: number;
  readonly clients: number;
  readonly rounds: number;
};

/** One client, round by round: norm, cosine to the aggregate, distance to the nearest other, and scores by feature. */
type Line = { readonly isAttacker: boolean; readonly rounds: readonly (readonly (number | null)[])[] };

export type Recording = { readonly lines: readonly Line[]; readonly accuracy: readonly number[] };

const attackerShare = 0.2;
const falseAlarms = 0.003;

/**
 * Who is flagged at the end of a window of the given rounds, by the detector as it is now. A client without an update in a
 * round was refused for what was in it, since everybody takes part: it counts as flagged.
 */
export function decisionsOf(
  recording: Recording,
  window: { readonly first: number; readonly last: number },
  detector: DetectorId = 'ensemble',
): Decision[] {
  const flags = recording.lines.map((): boolean[] => []);
  const scores = recording.lines.map(() => refusedScore);
  for (let round = window.first; round <= window.last; round++) {
    const verdicts = judge(detector, observationsAt(recording, round, windowMax), falseAlarms);
    for (const list of flags) list.push(true);
    for (const { clientId, isFlagged, score } of verdicts) {
      flags[Number(clientId)]![round - window.first] = isFlagged;
      if (round === window.last) scores[Number(clientId)] = score;
    }
  }
  return recording.lines.map(({ isAttacker }, i): Decision => {
    const calm = flags[i]!.lastIndexOf(false);
    const last = flags[i]!.length - 1;
    return { isAttacker, isFlagged: flags[i]!.at(-1)!, score: scores[i]!, firstRound: calm === last ? null : calm + 2 };
  });
}

/** As suspicious as can be. */
const refusedScore = 99;

/** Whether a run has been recorded under the rule of today. */
export function isRecorded(wanted: Recorded): boolean {
  return existsSync(fileOf(wanted));
}

function fileOf({ partition, attack, seed, clients, rounds }: Recorded): string {
  return `${folder}${clients}-${partition}-${attack}-${seed}-${rounds}.json`;
}

/** The recording of a run: read where it is known, made where it is not. One client in five attacks. */
export async function recordingOf(wanted: Recorded): Promise<Recording> {
  const { partition, attack, seed, clients, rounds } = wanted;
  const file = fileOf(wanted);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Recording;
  const attackers = Math.round(attackerShare * clients);
  const outcome = await run({
    partition,
    seed,
    clients,
    rounds,
    detection: { detector: 'norm-cosine' },
    ...(attack === 'none' ? {} : { attackers, attack }),
  });
  const ended = outcome.rounds.filter(({ accuracy: reached }) => typeof reached === 'number').length;
  // A run that broke off is no evidence, and is not to be kept as such.
  if (ended !== rounds) throw new Error(`Cannot keep ${file} as ${rounds} rounds must end: ${ended} did`);
  const lines = outcome.rounds[0]!.participants.map((clientId): Line => {
    return {
      isAttacker: outcome.attackers.includes(clientId),
      rounds: outcome.rounds.map(({ verdicts }, t) => {
        const verdict = verdicts.find((one) => one.clientId === clientId);
        const scores = outcome.inspections[t]?.scores.find((one) => one.clientId === clientId)?.scores;
        if (verdict === undefined || scores === undefined) return [];
        const facts = [verdict.norm, verdict.cosine, verdict.nearest ?? null];
        return [
          ...facts.map((value) => (value === null ? null : Number(value.toPrecision(5)))),
          ...featureIds.map((id) => scores[id] ?? null),
        ];
      }),
    };
  });
  const recording = { lines, accuracy: outcome.rounds.map(({ accuracy }) => accuracy ?? Number.NaN) };
  writeFileSync(file, JSON.stringify(recording));
  return recording;
}

/** What the detector saw in one round of a recording. Clients without an update in it are left out. */
export function observationsAt(recording: Recording, round: number, kept: number): Observation[] {
  return recording.lines.flatMap(({ rounds }, i): Observation[] => {
    const [norm, cosine, nearest] = rounds[round] ?? [];
    if (norm === undefined) return [];
    const past = scoresIn(recording)[i]!.slice(0, round + 1);
    const trail = past.filter((scores) => scores !== null).slice(-kept);
    return [
      {
        clientId: String(i).padStart(3, '0'),
        norm: norm ?? Number.NaN,
        cosine: cosine ?? Number.NaN,
        othersCosine: null,
        nearest: nearest ?? undefined,
        trail,
      },
    ];
  });
}

const scored = new WeakMap<Recording, readonly (readonly (Scores | null)[])[]>();

/** By client and round, null where there was no update: made once, as every later round looks back on them. */
function scoresIn(recording: Recording): readonly (readonly (Scores | null)[])[] {
  const known = scored.get(recording);
  if (known !== undefined) return known;
  const made = recording.lines.map(({ rounds }) =>
    rounds.map((line, t) => (line.length === 0 ? null : { ...scoresOf(line), times: lengthIn(recording, t, line) })),
  );
  scored.set(recording, made);
  return made;
}

function scoresOf(line: readonly (number | null)[]): Scores {
  return Object.fromEntries(
    featureIds.flatMap((id, k) => (line[3 + k] === null || line[3 + k] === undefined ? [] : [[id, line[3 + k]!]])),
  );
}

/** ln of a length over the median of its round. */
function lengthIn({ lines }: Recording, round: number, line: readonly (number | null)[]): number {
  const norms = lines.flatMap(({ rounds }) => rounds[round]?.[0] ?? []);
  return Math.round(100 * Math.log(Math.max(line[0] ?? 0, 1e-30) / medianOf(norms))) / 100;
}
