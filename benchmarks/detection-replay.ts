// The cells of the detection KPI as today's detector judges recorded runs: no training where a run is known.
// Usage: node benchmarks/detection-replay.ts [--seeds 51..52] [--quiet 51..53] [--write]
import { parseArgs } from 'node:util';
import { attackClasses, type AttackClass, claimed } from './detection/cells.ts';
import { partitionNames, windowRounds } from './detection/pattern-samples.ts';
import { decisionsOf, type Recorded, recordingOf } from './detection/recording.ts';
import { balanced, type Decision, type Interval, share, withInterval } from './detection/statistics.ts';
import { intoPage } from './into-page.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '51..52' },
    quiet: { type: 'string', default: '51..53' },
    write: { type: 'boolean' },
  },
});
/** Attack-free runs have two windows. */
const quietRounds = 2 * windowRounds;

function seedsOf(range: string): readonly number[] {
  const [first, last] = range.split('..').map(Number);
  return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
}

/** Who is flagged at the end of each window of a run. */
async function endsOf(run: Recorded): Promise<readonly Decision[]> {
  const recording = await recordingOf(run);
  return Array.from({ length: run.rounds / windowRounds }, (_, w) => (w + 1) * windowRounds - 1).flatMap((round) =>
    decisionsOf(recording, { first: round, last: round }),
  );
}

function percent({ value, low, high }: Interval): string {
  const text = (x: number) => (100 * x).toFixed(1);
  return `${text(value)} (${text(low)}–${text(high)})`;
}

/** Cells with a claim; a value that is not finite is refused before a detector sees it. */
const claims = (Object.keys(attackClasses) as AttackClass[]).flatMap((attackClass) =>
  attackClasses[attackClass].flatMap((attack) =>
    attack === 'none' || attack === 'nan' || claimed[attackClass].length === 0 ? [] : [{ attackClass, attack }],
  ),
);

const rows: string[] = [];
for (const partition of partitionNames) {
  const quiet: (readonly Decision[])[] = [];
  for (const seed of seedsOf(values.quiet)) {
    quiet.push(await endsOf({ partition, attack: 'none', seed, clients: 20, rounds: quietRounds }));
  }
  const cells: string[] = [];
  for (const { attackClass, attack } of claims) {
    const runs: (readonly Decision[])[] = [];
    for (const seed of seedsOf(values.seeds)) {
      runs.push(await endsOf({ partition, attack, seed, clients: 20, rounds: windowRounds }));
    }
    const text = (100 * balanced(runs.flat())).toFixed(1);
    cells.push(claimed[attackClass].includes(partition) ? text : `(${text})`);
  }
  const alarms = percent(withInterval(quiet, (some) => share(some.flat(), false)));
  rows.push(`| ${partition} | ${alarms} | ${cells.join(' | ')} |`);
}
const table = [
  `**Attack-free: flagged at the end of a window (seeds ${values.quiet}, two windows each), % (95 % interval). Attacked: balanced accuracy, % (seeds ${values.seeds}); in brackets where nothing is claimed**`,
  '',
  `| partition | attack-free | ${claims.map(({ attack }) => attack).join(' | ')} |`,
  `| --- | --- |${claims.map(() => ' --- |').join('')}`,
  ...rows,
].join('\n');
process.stdout.write(`${table}\n`);
if (values.write === true) intoPage('docs/explanation/detection.md', 'bench:detection-replay', table);
