// The detection KPI, cell by cell: who is flagged at the end of a window of 20 participations.
// Usage: node benchmarks/detection.ts [--partition NAME] [--attacks a,b] [--detector ID] [--seconds N] [--tables] [--write]
// What the detector saw is kept in runs/detection/recordings, by rule, and judged anew each time: --seconds N runs a piece
// and the next one goes on, --tables runs nothing; --write puts the tables into docs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Hostility } from '../src/simulation/index.ts';
import { attackClasses, type AttackClass, claimed } from './detection/cells.ts';
import { decisionsOf, isRecorded, type Recorded, recordingOf } from './detection/recording.ts';
import { partitions, type PartitionName } from './detection/setting.ts';
import {
  areaUnderCurve,
  balanced,
  type Decision,
  type Interval,
  roundsToDetect,
  share,
  withInterval,
} from './detection/statistics.ts';

/** Seeds that were looked at for nothing else: limits were made on 100 to 139, choices on 200 to 323. */
const seeds = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
const [clients, window] = [20, 20];
const goal = 0.98;

const { values } = parseArgs({
  options: {
    partition: { type: 'string' },
    attacks: { type: 'string' },
    detector: { type: 'string', default: 'ensemble' },
    seeds: { type: 'string' },
    seconds: { type: 'string' },
    tables: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const page = fileURLToPath(new URL('../docs/explanation/detection.md', import.meta.url));

type Run = { readonly seed: number; readonly decisions: readonly Decision[]; readonly accuracy: number };

type Cell = {
  readonly attackClass: AttackClass;
  readonly attack: Hostility | 'none';
  readonly partition: PartitionName;
};
type MeasuredCell = Cell & { readonly runs: readonly Run[] };

const wanted = values.attacks?.split(',');
const everyCell: readonly Cell[] = (Object.keys(partitions) as PartitionName[])
  .filter((name) => values.partition === undefined || name === values.partition)
  .flatMap((partition) =>
    (Object.keys(attackClasses) as AttackClass[]).flatMap((attackClass) =>
      attackClasses[attackClass]
        .filter((attack) => wanted === undefined || wanted.includes(attack) || attack === 'none')
        .map((attack) => ({ attackClass, attack, partition })),
    ),
  );
if (values.tables !== true) await record();
const cells: MeasuredCell[] = [];
for (const cell of everyCell) {
  const runs: Run[] = [];
  for (const seed of seedsWanted()) if (isRecorded(recorded(cell, seed))) runs.push(await measured(cell, seed));
  if (runs.length > 0) cells.push({ ...cell, runs });
}

function recorded({ partition, attack }: Cell, seed: number): Recorded {
  return { partition, attack, seed, clients, rounds: window };
}

/** Runs what has not been run, cells with a claim first, as long as there is time. */
async function record(): Promise<void> {
  const end = performance.now() + 1000 * Number(values.seconds ?? Infinity);
  const isFirst = ({ attack, attackClass, partition }: Cell) =>
    attack === 'none' || claimed[attackClass].includes(partition);
  for (const some of [everyCell.filter(isFirst), everyCell.filter((cell) => !isFirst(cell))]) {
    for (const seed of seedsWanted()) {
      for (const cell of some) if (performance.now() < end) await recordingOf(recorded(cell, seed));
    }
  }
}

async function measured(cell: Cell, seed: number): Promise<Run> {
  const recording = await recordingOf(recorded(cell, seed));
  const decisions = decisionsOf(recording, { first: 0, last: window - 1 }, values.detector as 'ensemble');
  return { seed, decisions, accuracy: recording.accuracy.at(-1)! };
}

const isBlind = cells.some(({ attackClass }) => attackClass === 'stealth');
const tables = [falseAlarmTable(), detectionTable(), missTable(), ...(isBlind ? [harmTable()] : [])];
process.stdout.write(`${tables.join('\n\n')}\n`);
if (values.write === true) {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = ['<!-- begin: made by npm run bench:detection -->', '<!-- end: bench:detection -->'];
  const [head, tail] = [text.split(begin)[0]!, text.split(end)[1]!];
  writeFileSync(page, `${head}${begin}\n\n${tables.join('\n\n')}\n\n${end}${tail}`);
}

function seedsWanted(): readonly number[] {
  const [first, last] = (values.seeds ?? '').split('..').map(Number);
  return values.seeds === undefined ? seeds : seeds.map((_, i) => first! + i).filter((seed) => seed <= last!);
}

function all(runs: readonly Run[]): readonly Decision[] {
  return runs.flatMap(({ decisions }) => decisions);
}

function percent({ value, low, high }: Interval): string {
  const text = (x: number) => (100 * x).toFixed(1);
  return `${text(value)} (${text(low)}–${text(high)})`;
}

function falseAlarmTable(): string {
  const rows = cells
    .filter(({ attack }) => attack === 'none')
    .map(({ partition, runs }) => {
      const alarms = withInterval(runs, (some) => share(all(some), false));
      return `| ${partition} | ${percent(alarms)} | ${runs.length} |`;
    });
  return `**Attack-free: honest clients flagged at the end of a window, % (95 % interval)**\n\n| partition | flagged | seeds |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

function detectionTable(): string {
  const rows = cells
    .filter(({ attack }) => attack !== 'none')
    .map(({ attackClass, attack, partition, runs }) => {
      const of = (figure: (decisions: readonly Decision[]) => number) =>
        withInterval(runs, (some) => figure(all(some)));
      const rounds = [0.5, 0.9].map((quantile) => {
        const value = roundsToDetect(all(runs), quantile);
        return Number.isFinite(value) ? String(value) : '–';
      });
      const auc = of(areaUnderCurve);
      return `| ${attackClass} | ${attack} | ${partition} | ${percent(of(balanced))} | ${percent(of((d) => share(d, true)))} | ${percent(of((d) => share(d, false)))} | ${auc.value.toFixed(3)} (${auc.low.toFixed(3)}–${auc.high.toFixed(3)}) | ${rounds.join(' / ')} | ${runs.length} |`;
    });
  return `**Detection by cell, % (95 % interval)**\n\n| class | attack | partition | balanced accuracy | TPR | FPR | AUROC | rounds to detect, half / nine in ten | seeds |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}`;
}

/** The cells in which more is claimed than was reached, and those of which not every seed has been run. */
function missTable(): string {
  const isClaimed = ({ attackClass, partition }: Cell) => claimed[attackClass].includes(partition);
  const run = cells.filter(isClaimed).map((cell) => ({ ...cell, value: balanced(all(cell.runs)) }));
  const misses = run.filter(({ value }) => !(value > goal));
  const total = everyCell.filter(isClaimed).length;
  const short = total - run.filter(({ runs }) => runs.length === seedsWanted().length).length;
  const list = misses.map(
    ({ attack, partition, value }) => `${attack} in ${partition} (${(100 * value).toFixed(1)} %)`,
  );
  return [
    `**Cells with a claim (overt and colluding everywhere; sign flip and drift in IID and Dirichlet(1.0)): ${total}, above 98 %: ${run.length - misses.length}.**`,
    list.length === 0 ? 'No cell misses.' : `Missed: ${list.join('; ')}.`,
    ...(short === 0 ? [] : [`Of ${short} of them not every seed has been run.`]),
  ].join(' ');
}

/** What attackers do to the model while nothing is done about them. */
function harmTable(): string {
  const clean = new Map(
    cells.filter(({ attack }) => attack === 'none').map(({ partition, runs }) => [partition, runs]),
  );
  const rows = cells
    .filter(({ attackClass }) => attackClass === 'stealth')
    .map(({ attack, partition, runs }) => {
      const pairs = runs.flatMap(({ seed, accuracy }) => {
        const quiet = clean.get(partition)?.find((one) => one.seed === seed);
        return quiet === undefined ? [] : [quiet.accuracy - accuracy];
      });
      const lost = withInterval(pairs, (some) => some.reduce((sum, value) => sum + value, 0) / some.length);
      return { attack, partition, lost, worst: Math.max(...pairs), count: pairs.length };
    });
  const lines = rows.map(
    ({ attack, partition, lost, worst, count }) =>
      `| ${attack} | ${partition} | ${percent(lost)} | ${(100 * worst).toFixed(1)} | ${count} |`,
  );
  return `**Stealth: accuracy lost in the last round with the detector blind, percentage points (95 % interval), mean and worst seed**\n\n| attack | partition | lost | worst seed | seeds |\n| --- | --- | --- | --- | --- |\n${lines.join('\n')}`;
}
