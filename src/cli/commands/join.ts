import { createHash } from '../../primitives/index.ts';
import { existsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseLink } from '../../client/link.ts';
import type { TrainingEngine } from '../../core/learning/engine.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { ownPrivacyLine } from '../../core/protocol/own-privacy.ts';
import { type TrainingEngineId, trainingEngineIds } from '../../core/plan/training.ts';
import { type KmeFlags, kmeOf, withKmeFlags } from '../kme-options.ts';
import type { Trainer } from '../../ports/trainer.ts';
import { Failure } from '../failure.ts';

type Options = {
  trainer?: string;
  engine?: TrainingEngineId;
  data: string;
  name: string;
  state?: string;
  patience: number;
  taskSeconds: number;
  json?: boolean;
  kmePeer: string;
  acceptRewoundLog?: boolean;
} & KmeFlags;

export function joinCommand(): Command {
  return withKmeFlags(new Command('join'))
    .option('--kme-peer <id>', "the coordinator's SAE id", 'coordinator')
    .description('Take part in a run with the data of this site, until the run ends, through any lost connection')
    .argument('<link>', 'the link that the coordinator printed for this site')
    .requiredOption(
      '--data <path>',
      "the site's data: a CSV file as the plan describes it or a folder of two IDX files for the built-in trainer, anything for a program",
    )
    .option('--name <name>', 'what this site is called, for people', hostname())
    .option(
      '--state <folder>',
      "where this device keeps its key (default: a folder for this link in the user's state folder)",
    )
    .option(
      '--patience <minutes>',
      'how long to go on trying when the coordinator cannot be reached',
      parsePositive,
      60,
    )
    .option(
      '--trainer <command>',
      'a training program; it gets the path of a task.json as last argument (default: built in)',
    )
    .addOption(
      new Option('--engine <name>', "what computes the built-in trainer (default: the plan's training.engine)").choices(
        trainingEngineIds,
      ),
    )
    .option('--task-seconds <n>', 'how long a training program may take for one task', parsePositive, 3600)
    .option(
      '--accept-rewound-log',
      'take part although the log is not what this site has seen: the operator has said that a backup was restored',
    )
    .option('--json', 'print one JSON document at the end')
    .addHelpText('after', "\nExample: qflare join 'LINK' --data patients.csv --trainer 'python3 train.py'")
    .action(async (text: string, options: Options) => {
      const link = parseLink(text);
      const say = (message: string) => process.stderr.write(`${message}\n`);
      // Before the link is spent: a missing package is known now.
      if (options.engine !== undefined) await engineFor(options.engine);
      requireData(options.data);
      const [{ joinRun }, { findUnlocking }, kme] = await Promise.all([
        import('../../node/join-run.ts'),
        import('../../node/unlocking.ts'),
        kmeOf(options),
      ]);
      const outcome = await joinRun({
        link,
        name: options.name,
        stateFolder: options.state ?? defaultStateFolder(link.token),
        unlocking: await findUnlocking(process.env),
        patienceMs: 60_000 * options.patience,
        say,
        acceptRewoundLog: options.acceptRewoundLog === true,
        siteQkd: kme && { saeId: kme.saeId, source: kme.sourceFor(options.kmePeer) },
        trainerFor: (plan) =>
          trainerFor(plan, {
            command: splitCommand(options.trainer ?? ''),
            dataDir: resolve(options.data),
            seconds: options.taskSeconds,
            engine: options.engine,
            say,
          }),
      });
      if (options.json !== true && outcome.privacy !== undefined) say(ownPrivacyLine(outcome.privacy));
      if (options.json === true) process.stdout.write(`${JSON.stringify(outcome)}\n`);
      else
        process.stdout.write(
          `${outcome.clientId}: ${outcome.reason}, ${outcome.contributions} contributions accepted\n`,
        );
      if (outcome.end === 'removed')
        throw new Failure('security', `${outcome.clientId} is out of the run: ${outcome.reason}`);
      if (outcome.end === 'failed') throw new Failure('network', `The run has failed: ${outcome.reason}`);
    });
}

/** Before the link is used: a token is spent once. */
function requireData(path: string): void {
  if (existsSync(path)) return;
  throw new Failure('plan', `Cannot join with --data ${path} as there must be a file or folder: there is none`);
}

/** One folder for each link, named by the hash of its token. */
function defaultStateFolder(token: string): string {
  const base = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state');
  return join(base, 'qflare', createHash('sha256').update(token).digest('hex').slice(0, 16));
}

/** What trains at a site: the built-in engine, a program, or the training that noises each record's gradient. */
export async function trainerFor(
  plan: Plan,
  site: {
    readonly command: readonly string[];
    readonly dataDir: string;
    readonly seconds: number;
    readonly engine: TrainingEngineId | undefined;
    readonly say: (text: string) => void;
  },
): Promise<Trainer> {
  const { manifestOf } = await import('../../core/learning/model-spec.ts');
  const [program, ...args] = site.command;
  if (plan.privacy.mode === 'local' && plan.privacy.unit === 'record') {
    if (program !== undefined) {
      throw new Failure(
        'plan',
        'Cannot join with --trainer as privacy.unit must be "client" for a program to train, as only the built-in training clips and noises the gradient of each record (nearest: join without --trainer, or a plan with privacy.unit = "client"): current value is "record"',
      );
    }
    const { createRecordPrivateTrainer } = await import('../../adapters/trainer-record-private.ts');
    const { createNodeEntropy } = await import('../../adapters/entropy-node.ts');
    const { readSite } = await import('../site-data.ts');
    const { training, categories } = await readSite(plan, site.dataDir, site.say);
    return createRecordPrivateTrainer(plan, training, createNodeEntropy(), categories);
  }
  if (program !== undefined) {
    const { traitsOf } = await import('../../core/learning/client/index.ts');
    if (traitsOf(plan.learning.client).isSummed) {
      throw new Failure(
        'plan',
        `Cannot join with --trainer as the plan's algorithm ${plan.learning.client.algorithm} must have sums of gradients and Hessians: only the built-in trainer gives them`,
      );
    }
    const { createExternalTrainer } = await import('../../adapters/trainer-external.ts');
    const asked = plan.privacy.mode === 'local' ? (plan.privacy.histograms ?? []) : [];
    const categoriesOf = asked.length === 0 ? undefined : await categoriesFor(plan, site, asked);
    const made = createExternalTrainer({ ...site, command: [program, ...args], manifest: manifestOf(plan.model) });
    return categoriesOf === undefined ? made : { ...made, categoriesOf };
  }
  const { createBuiltinTrainer } = await import('../../adapters/trainer-builtin.ts');
  const { readSite } = await import('../site-data.ts');
  const engine = await engineFor(site.engine ?? plan.training.engine);
  return createBuiltinTrainer(plan, await readSite(plan, site.dataDir, site.say), engine);
}

/** A program says no categories: they are read from the data here, as the built-in trainer reads them. */
async function categoriesFor(
  plan: Plan,
  site: { readonly dataDir: string; readonly say: (text: string) => void },
  asked: readonly { readonly name: string; readonly of: string }[],
): Promise<NonNullable<Trainer['categoriesOf']>> {
  const { readSite } = await import('../site-data.ts');
  const parts = await readSite(plan, site.dataDir, site.say).catch((error: Error) => {
    const names = asked.map(({ name, of }) => `"${name}" of ${of}`).join(', ');
    throw new Failure(
      'plan',
      `Cannot join with --trainer as the plan's privacy.histograms (${names}) must have the categories of the data, which the built-in trainer's reader gives (nearest: --data as a CSV file that data.table describes or a folder of two IDX files, or a plan without histograms): current value is ${site.dataDir}. ${error.message}`,
    );
  });
  return (what) => (what === 'label' ? parts.training.labels : parts.categories?.[what]);
}

async function engineFor(id: TrainingEngineId): Promise<TrainingEngine> {
  const { trainingEngine } = await import('../../node/training-engine.ts');
  return trainingEngine(id);
}

/** Splits a command into program and arguments; quotes keep spaces together. No shell reads it. */
function splitCommand(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain!,
  );
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}
