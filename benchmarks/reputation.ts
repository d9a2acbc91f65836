// What reputation gains on a drift that creeps, and whom it excludes wrongly, against detection round by round.
// Usage: node benchmarks/reputation.ts [--seeds 51..53] [--write]
// Runs are kept in runs/detection/recordings, so it can be stopped and resumed; --write puts the table into docs.
import { parseArgs } from 'node:util';
import type { Verdict } from '../src/core/detection/detector.ts';
import { detectors } from '../src/core/detection/index.ts';
import { judge } from '../src/core/detection/judge.ts';
import { windowMax } from '../src/core/detection/limits.ts';
import { aged, badnessOf, newcomer, withEvidence } from '../src/core/detection/reputation.ts';
import { partitionNames } from './detection/pattern-samples.ts';
import { observationsAt, type Recording, recordingOf } from './detection/recording.ts';
import { intoPage } from './into-page.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '51..53' }, write: { type: 'boolean' } } });
const [firstSeed, lastSeed] = values.seeds.split('..').map(Number);
const seeds = Array.from({ length: lastSeed! - firstSeed! + 1 }, (_, i) => firstSeed! + i);
/** Attack-free runs on which the single-round limit is set: as many honest clients excluded as reputation may. */
const limitSeeds = Array.from({ length: 16 }, (_, i) => 100 + i);
const [rounds, honestExcluded] = [40, 0.01];
/** Rounds away after which an excluded client is asked for again, at the latest. */
const backWithin = 60;

/** One client of one run: the rounds in which each way excludes it first (infinite: never), and how it went on. */
type Life = {
  readonly isAttacker: boolean;
  readonly single: readonly number[];
  readonly byReputation: number;
  readonly roundsAway: number;
  readonly oddRounds: number;
};

function livesOf(recording: Recording): Life[] {
  const reputations = recording.lines.map(() => newcomer);
  const excludedAt = recording.lines.map(() => Number.POSITIVE_INFINITY);
  const odd = recording.lines.map(() => 0);
  const single = recording.lines.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const observations = observationsAt(recording, round, windowMax);
    const alone = detectors.ensemble.suspect(observations, 1);
    for (const [k, verdict] of judge('ensemble', observations, 0.003).entries()) {
      const i = Number(verdict.clientId);
      single[i]!.push(alone[k]!.value);
      reputations[i] = withEvidence(reputations[i]!, badnessOf(verdict), round + 1);
      odd[i]! += isOdd(verdict) ? 1 : 0;
      if (reputations[i]!.isExcluded) excludedAt[i] = Math.min(excludedAt[i]!, round + 1);
    }
  }
  return recording.lines.map(({ isAttacker }, i) => ({
    isAttacker,
    single: single[i]!,
    byReputation: excludedAt[i]!,
    roundsAway: awayFor(reputations[i]!),
    oddRounds: odd[i]!,
  }));
}

function isOdd({ isFlagged }: Verdict): boolean {
  return isFlagged;
}

/** Rounds until a client that is excluded now may come back; 0 for one that is not. */
function awayFor(reputation: typeof newcomer): number {
  for (let away = 0; away <= backWithin; away++) {
    if (!aged(reputation, reputation.round + away).isExcluded) return away;
  }
  return Number.POSITIVE_INFINITY;
}

async function lives(attack: 'none' | 'creeping-drift', which: readonly number[]): Promise<Map<string, Life[]>> {
  const found = new Map<string, Life[]>();
  for (const partition of partitionNames) {
    const list: Life[] = [];
    for (const seed of which) {
      list.push(...livesOf(await recordingOf({ partition, attack, seed, clients: 20, rounds })));
    }
    found.set(partition, list);
  }
  return found;
}

/** The single-round suspicion that one honest client in a hundred reaches once in the run, in the partition where most do. */
const quiet = await lives('none', limitSeeds);
const limit = Math.max(
  ...[...quiet.values()].map((list) => {
    const highest = list.map(({ single }) => Math.max(...single)).sort((a, b) => b - a);
    return highest[Math.floor(honestExcluded * highest.length)]!;
  }),
);

const attacked = await lives('creeping-drift', seeds);
const calm = await lives('none', seeds);
const firstOver = ({ single }: Life) => {
  const at = single.findIndex((value) => value >= limit);
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1;
};
const rows = partitionNames.map((partition) => {
  const liars = attacked.get(partition)!.filter(({ isAttacker }) => isAttacker);
  const honest = [...calm.get(partition)!, ...attacked.get(partition)!.filter(({ isAttacker }) => !isAttacker)];
  const share = (list: readonly Life[], round: (life: Life) => number) =>
    `${list.filter((life) => Number.isFinite(round(life))).length} of ${list.length}`;
  const byReputation = ({ byReputation: round }: Life) => round;
  const away = honest.filter((life) => Number.isFinite(life.byReputation)).map(({ roundsAway }) => roundsAway);
  const outliers = honest.filter(({ oddRounds }) => oddRounds > 0);
  const survived = outliers.filter(({ byReputation: round }) => !Number.isFinite(round)).length;
  const back = away.length === 0 ? '–' : String(Math.max(...away));
  return `| ${partition} | ${share(liars, firstOver)} | ${middle(liars.map(firstOver))} | ${share(honest, firstOver)} | ${share(liars, byReputation)} | ${middle(liars.map(byReputation))} | ${share(honest, byReputation)} | ${survived} of ${outliers.length} | ${back} |`;
});

const table = [
  `Single round: excluded at the first suspicion over one round above ${limit.toFixed(2)}, which one honest client in a hundred reaches once in ${rounds} attack-free rounds (seeds ${limitSeeds[0]} to ${limitSeeds.at(-1)}, the partition where most do).`,
  '',
  '| partition | single round: attackers excluded | median round | honest excluded | reputation: attackers excluded | median round | honest excluded | honest ever flagged that stay | rounds until the excluded honest are back |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
process.stdout.write(`${table}\n`);
if (values.write === true) intoPage('docs/explanation/detection.md', 'bench:reputation', table);

function middle(values_: readonly number[]): string {
  const sorted = [...values_].sort((a, b) => a - b);
  const value = sorted[Math.floor((sorted.length - 1) / 2)]!;
  return Number.isFinite(value) ? String(value) : '–';
}
