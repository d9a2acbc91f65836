import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parsePlan, type Plan } from '../../core/plan/plan.ts';
import { readPlan } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { createRunView, type RunView } from '../view/run-view.ts';

type Options = {
  seed?: number;
  seeds?: readonly number[];
  clients?: number;
  attackers: number;
  attack: string[];
  data: 'blobs' | 'mnist';
  faults: 'drawn' | 'none';
  crypto: 'simulated' | 'real';
  threads: number;
  fast?: boolean;
  json?: boolean;
};

const loadLab = () => import('../../simulation/index.ts');

type Lab = Awaited<ReturnType<typeof loadLab>>;
type World = Awaited<ReturnType<Lab['simulatePlan']>>;

export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'Runs a plan in a world made of one seed: the real coordinator and clients, a network that loses, repeats and delays, crashes, liars. Without a plan the seed draws everything',
    )
    .argument('[plan]', 'a plan.toml, or a folder that holds one')
    .option('--seed <n>', "the seed of the world (default: the plan's, or 1)", integerFrom(0))
    .option('--seeds <a..b>', 'many worlds, one after the other', range)
    .option('--clients <n>', "clients in place of the plan's", integerFrom(2))
    .option('--attackers <n>', 'how many of them lie', integerFrom(0), 0)
    .option('--attack <a,b>', 'how, in turn', (text) => text.split(','), ['sign-flip'])
    .addOption(new Option('--data <what>', 'what clients train on').choices(['blobs', 'mnist']).default('blobs'))
    .addOption(
      new Option('--faults <which>', 'what goes wrong: drawn from the seed, or nothing')
        .choices(['drawn', 'none'])
        .default('drawn'),
    )
    .addOption(
      new Option('--crypto <suite>', 'simulated (a function of the seed; no security) or real (slower)')
        .choices(['simulated', 'real'])
        .default('simulated'),
    )
    .option('--threads <n>', 'threads that train', integerFrom(0), 0)
    .option('--fast', 'without network, envelopes and faults: for many clients')
    .option('--json', 'print one JSON document; progress goes to stderr')
    .addHelpText(
      'after',
      '\nThe same seed gives the same model and the same journal, byte for byte. Everything here is simulated.',
    )
    .action(simulate);
}

async function simulate(path: string | undefined, options: Options, command: Command): Promise<void> {
  if (options.attackers === 0 && command.getOptionValueSource('attack') === 'cli') {
    throw new Failure('plan', 'Cannot attack as --attackers must be at least 1 with --attack: current value is 0');
  }
  const lab = await loadLab();
  const plan = path === undefined ? undefined : await readPlan(planFile(resolve(path)));
  const isShaped = options.clients !== undefined || options.attackers > 0 || options.fast === true;
  if (plan === undefined && (isShaped || options.data !== 'blobs')) {
    throw new Failure('plan', 'Cannot shape the world as there must be a plan: without one the seed draws everything');
  }
  const seeds = options.seeds ?? [options.seed ?? plan?.seed ?? 1];
  const view = createRunView(options.json === true ? process.stderr : process.stdout);
  const data = options.data === 'mnist' ? await readMnist() : undefined;
  const worlds: { readonly seed: number; readonly world: World }[] = [];

  for (const seed of seeds) {
    const isAlone = seeds.length === 1;
    view.progress(`seed ${seed}: ${worlds.length} of ${seeds.length} done`);
    const onRound = isAlone ? view.round : undefined;
    const world = await worldOf(lab, plan, { ...options, seed, data, onRound });
    worlds.push({ seed, world });
    view.note(lineOf(seed, world));
  }
  view.end();
  if (options.fast === true) view.note(`Left out by --fast: ${lab.leftOutByFastPath.join('; ')}.`);
  const failed = worlds.filter(({ world }) => world.violations.length > 0);
  const replays = failed.map(({ seed }) => replayOf(path, seed, options));
  if (options.json === true) process.stdout.write(`${JSON.stringify({ worlds: worlds.map(jsonOf), replays })}\n`);
  if (failed.length > 0) throw new Failure('bug', explain(failed, replays, view));
}

function worldOf(
  lab: Lab,
  plan: Plan | undefined,
  options: Omit<Options, 'data' | 'seed'> &
    Pick<Parameters<Lab['simulatePlan']>[0], 'data' | 'onRound'> & { readonly seed: number },
): Promise<World> {
  const { seed, data, onRound, crypto, threads, faults, attackers } = options;
  if (plan === undefined) return lab.runSeed(seed, { crypto, onRound });
  return lab.simulatePlan({
    plan: planFor(plan, seed, options.clients),
    seed,
    data,
    attackers,
    attack: options.attack as never,
    faults,
    crypto,
    threads,
    path: options.fast === true ? 'fast' : 'whole',
    onRound,
  });
}

/** The plan with another seed, and with another number of clients: size and quorum follow it then. */
function planFor(plan: Plan, seed: number, clients: number | undefined): Plan {
  if (clients === undefined) return parsePlan({ ...plan, seed });
  const { size: _size, quorum: _quorum, ...cohort } = plan.cohort;
  return parsePlan({ ...plan, seed, cohort: { ...cohort, expected: clients } });
}

function planFile(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'plan.toml') : path;
}

async function readMnist() {
  const { readMnist: read } = await import('../../simulation/demo/sites.ts');
  return read();
}

function lineOf(seed: number, world: World): string {
  const { status, reason, rounds, crashes, clientRestarts, traffic, virtualSeconds, modelHash, violations } = world;
  const completed = rounds.filter((round) => round.status === 'completed').length;
  const went = [
    `${completed} of ${rounds.length} rounds completed`,
    `${virtualSeconds.toFixed(0)} s of virtual time`,
    `${crashes} crashes`,
    `${clientRestarts} clients restarted`,
    `${traffic.requests} requests (${traffic.dropped} lost, ${traffic.duplicated} repeated)`,
  ];
  const end = violations.length === 0 ? '' : `, BROKEN: ${violations[0]!.invariant}`;
  const why = reason === null ? '' : ` (${reason})`;
  return `seed ${seed}: ${status}${why}, ${went.join(', ')}, model ${modelHash.slice(0, 12)}${end}`;
}

function jsonOf({ seed, world }: { readonly seed: number; readonly world: World }) {
  return { seed, simulated: true, ...world };
}

function replayOf(path: string | undefined, seed: number, options: Options): string {
  const words = ['npm run simulate --', ...(path === undefined ? [] : [path]), `--seed ${seed}`];
  if (path !== undefined) {
    if (options.clients !== undefined) words.push(`--clients ${options.clients}`);
    if (options.attackers > 0) words.push(`--attackers ${options.attackers} --attack ${options.attack.join(',')}`);
    if (options.data !== 'blobs') words.push(`--data ${options.data}`);
    if (options.faults !== 'drawn') words.push(`--faults ${options.faults}`);
    if (options.fast === true) words.push('--fast');
  }
  if (options.crypto !== 'simulated') words.push(`--crypto ${options.crypto}`);
  return words.join(' ');
}

function explain(
  failed: readonly { readonly seed: number; readonly world: World }[],
  replays: readonly string[],
  view: RunView,
): string {
  for (const { seed, world } of failed) {
    for (const { invariant, problem, atMs } of world.violations) {
      view.note(`seed ${seed}, ${(atMs / 1000).toFixed(1)} s: ${invariant}: ${problem}`);
    }
  }
  return `${failed.length} simulated worlds broke an invariant. Replay:\n${replays.map((line) => `  ${line}`).join('\n')}`;
}

function integerFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min}.`);
  };
}

function range(text: string): readonly number[] {
  const [first, last] = (/^(\d+)\.\.(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (first === undefined || last === undefined || last < first) {
    throw new InvalidArgumentError('It must be two integers, as 1..50.');
  }
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
