// What flagged clients are said to look like: a confusion matrix on seeds and attacks that calibration never saw.
// Usage: node benchmarks/attack-patterns.ts [--seeds 52..52] [--write]
// Runs are kept in runs/detection/recordings, so it can be stopped and resumed; --write puts the tables into docs.
import { parseArgs } from 'node:util';
import { type PatternId, patternIds } from '../src/core/detection/pattern/pattern.ts';
import { recognise } from '../src/core/detection/pattern/recognise.ts';
import {
  heldOut,
  type KnownAttack,
  learned,
  partitionNames,
  samplesOf,
  windowRounds,
} from './detection/pattern-samples.ts';
import { withInterval } from './detection/statistics.ts';
import { intoPage } from './into-page.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '52..52' }, write: { type: 'boolean' } },
});
const [firstSeed, lastSeed] = values.seeds.split('..').map(Number);
const seeds = Array.from({ length: lastSeed! - firstSeed! + 1 }, (_, i) => firstSeed! + i);
const truth: Readonly<Record<KnownAttack, PatternId>> = { ...learned, ...heldOut };
/** Ends of rounds at which attackers are looked at: the first, and the last of the window. */
const looks = [0, windowRounds - 1] as const;

type Told = { readonly attack: KnownAttack | 'honest'; readonly round: number; readonly label: PatternId | null };
/** One run: what each attacker and each flagged honest client was said to look like; null: not flagged. */
type Run = readonly Told[];

const runs: Run[] = [];
for (const attack of Object.keys(truth) as KnownAttack[]) {
  for (const partition of partitionNames) {
    for (const seed of seeds) {
      const samples = await samplesOf({ partition, attack, seed }, looks);
      runs.push(
        samples.map(({ attack: who, round, isFlagged, observations, place }) => {
          // In copies the copied is flagged as well: nobody can tell which is which, so honest ones there count with them.
          const told = isFlagged ? recognise(observations, [place])[0]!.label : null;
          return { attack: who, round, label: told };
        }),
      );
    }
  }
}

const tables = [confusionTable(), attackTable()];
process.stdout.write(`${tables.join('\n\n')}\n`);
if (values.write === true) intoPage('docs/explanation/detection.md', 'bench:patterns', tables.join('\n\n'));

function ofRound(some: readonly Run[], round: number): readonly Told[] {
  return some.flat().filter((told) => told.round === round && told.label !== null);
}

/** Flagged clients at the end of the window: rows are what they did, columns what they were said to look like. */
function confusionTable(): string {
  const told = ofRound(runs, looks[1]);
  const kinds = [...new Set(Object.values(truth))];
  const columns = patternIds.filter((id) => id !== 'broken-values');
  const rows = [...kinds, 'honest' as const].map((kind) => {
    const ours = told.filter(({ attack }) => (attack === 'honest' ? 'honest' : truth[attack]) === kind);
    const counts = columns.map((column) => ours.filter(({ label }) => label === column).length);
    const recall =
      kind === 'honest' ? '' : ((100 * ours.filter(({ label }) => label === kind).length) / ours.length).toFixed(1);
    return `| ${kind} | ${counts.map((count) => (count === 0 ? '·' : count)).join(' | ')} | ${recall} |`;
  });
  return [
    '**Flagged clients at the end of a window: what they did (rows), what they were said to look like (columns); recall in %**',
    '',
    `| | ${columns.join(' | ')} | recall |`,
    `| --- |${columns.map(() => ' --- |').join('')} --- |`,
    ...rows,
  ].join('\n');
}

function attackTable(): string {
  const rows = (Object.keys(truth) as KnownAttack[]).map((attack) => {
    const ours = runs.map((run) => run.filter((told) => told.attack === attack)).filter((run) => run.length > 0);
    const share = (round: number) => (some: readonly Run[]) => {
      const told = ofRound(some, round);
      return told.filter(({ label }) => label === truth[attack]).length / told.length;
    };
    const cells = looks.map((round) => {
      const { value, low, high } = withInterval(ours, share(round));
      const text = (x: number) => (100 * x).toFixed(1);
      return Number.isNaN(value) ? '–' : `${text(value)} (${text(low)}–${text(high)})`;
    });
    const last = ours.flat().filter(({ round }) => round === looks[1]);
    const flagged = last.filter(({ label }) => label !== null).length;
    const isLearned = Object.hasOwn(learned, attack);
    return `| ${attack} | ${truth[attack]} | ${isLearned ? 'learned' : 'held out'} | ${flagged} of ${last.length} | ${cells.join(' | ')} |`;
  });
  return [
    '**Recall by attack among the flagged, % (95 % interval), in the first round and at the end of the window**',
    '',
    '| attack | is | in calibration | flagged | first round | end |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
