// Ways of learning compared: each on the heart disease data of four hospitals and on MNIST at α = 0.1, over seeds.
// Usage: node benchmarks/learning.ts [--heart FOLDER] [--seeds 5] [--budget SECONDS] [--write]
// Finished runs are kept in benchmarks/learning/results.jsonl and not done again; --write puts the table into
// docs/explanation/learning-algorithms.md and runs nothing. Simulated: the fast path, without network.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Learning, settingsOf, type Way, waysFor } from './learning/candidates.ts';
import { heartWorld, mnistWorld, type Outcome, type World } from './learning/worlds.ts';

const resultsPath = join(import.meta.dirname, 'learning', 'results.jsonl');
const pagePath = join(import.meta.dirname, '..', 'docs', 'explanation', 'learning-algorithms.md');
/** Settings are chosen on this seed, which is not among those that are reported. */
const tuningSeed = 100;

type Result = Outcome & {
  readonly world: string;
  readonly says: string;
  readonly way: string;
  readonly learning: Learning;
  readonly seed: number;
};

const { values } = parseArgs({
  options: {
    heart: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    budget: { type: 'string', default: '100000' },
    write: { type: 'boolean', default: false },
  },
});
const seedCount = Number(values.seeds);
const deadline = performance.now() + 1000 * Number(values.budget);

function readResults(): Result[] {
  if (!existsSync(resultsPath)) return [];
  return readFileSync(resultsPath, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
}

const results = readResults();

async function measured(world: World, way: Way, learning: Learning, seed: number): Promise<Result> {
  const key = JSON.stringify([world.name, world.says, way.name, learning, seed]);
  const known = results.find((one) => JSON.stringify([one.world, one.says, one.way, one.learning, one.seed]) === key);
  if (known !== undefined) return known;
  if (performance.now() > deadline) {
    process.stderr.write('the time is up: start it again to go on\n');
    process.exit(3);
  }
  const outcome = await world.run(learning, seed);
  const result = { world: world.name, says: world.says, way: way.name, learning, seed, ...outcome };
  results.push(result);
  appendFileSync(resultsPath, `${JSON.stringify(result)}\n`);
  process.stderr.write(
    `${world.name}: ${way.name} ${settingsOf(learning)} seed ${seed}: ${outcome.atSites.toFixed(3)}\n`,
  );
  return result;
}

/** The candidate that does best at the sites on the tuning seed. */
async function tuned(world: World, way: Way): Promise<Learning> {
  if (way.candidates.length === 1) return way.candidates[0]!;
  let best: Result | undefined;
  for (const candidate of way.candidates) {
    const result = await measured(world, way, candidate, tuningSeed);
    if (best === undefined || result.atSites > best.atSites) best = result;
  }
  return best!.learning;
}

async function measure(world: World): Promise<void> {
  for (const way of waysFor(world)) {
    const learning = await tuned(world, way);
    for (let seed = 1; seed <= seedCount; seed++) await measured(world, way, learning, seed);
  }
}

const spread = (numbers: readonly number[]) => {
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, numbers.length - 1);
  return `${mean.toFixed(3)} ± ${Math.sqrt(variance).toFixed(3)}`;
};

function tableOf(world: string): string {
  const rows = results.filter((one) => one.world === world && one.seed !== tuningSeed);
  const says = rows.at(-1)?.says;
  const byWay = Map.groupBy(
    rows.filter((one) => one.says === says),
    (one) => one.way,
  );
  const seeds = new Set(rows.map(({ seed }) => seed)).size;
  const lines = [...byWay].map(([way, all]) => {
    const globals = all.flatMap(({ global }) => (global === null ? [] : [global]));
    const reached = all.map(({ reached: round }) => round ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    const median = reached[reached.length >> 1]!;
    const cells = [
      `\`${way}\``,
      settingsOf(all[0]!.learning) || '–',
      globals.length === 0 ? '–' : spread(globals),
      spread(all.map(({ atSites }) => atSites)),
      spread(all.map(({ worstSite }) => worstSite)),
      Number.isFinite(median) ? String(median) : '–',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `### ${world}`,
    '',
    `${says![0]!.toUpperCase()}${says!.slice(1)}. Mean ± deviation over ${seeds} seeds.`,
    '',
    '| way | settings | global model | at the sites | worst site | rounds |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

if (!values.write) {
  const shared = process.env['QFLARE_SHARED'];
  const folder = values.heart ?? (shared === undefined ? undefined : join(shared, 'data', 'heart-disease'));
  if (folder === undefined) process.stderr.write('The heart disease data is left out: --heart FOLDER names it\n');
  else await measure(heartWorld(folder));
  await measure(await mnistWorld());
}
const tables = [...new Set(results.map(({ world }) => world))].map(tableOf).join('\n\n');
if (values.write) {
  const marks = /(<!-- begin: npm run bench:learning -- --write -->\n)[^]*?(\n<!-- end -->)/;
  const page = readFileSync(pagePath, 'utf8');
  if (!marks.test(page)) throw new Error(`Cannot write the table as ${pagePath} must hold its marks`);
  writeFileSync(
    pagePath,
    page.replace(marks, (_all, begin: string, end: string) => `${begin}\n${tables}\n${end}`),
  );
} else process.stdout.write(`${tables}\n`);
