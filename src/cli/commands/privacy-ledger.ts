import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { ledgerHeads } from '../../core/privacy/ledger/heads.ts';
import { hashesOf } from '../../core/privacy/ledger/sealed-chains.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import { type ClientBudget, forecastText, type GroupBudget, type RunRecord } from '../../core/round/run-record.ts';
import { pathsOf, readPlan, readSettings } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import type { SiteLedger } from '../../core/privacy/local/site-ledger.ts';
import { isSiteFolder, siteLedgerLines, siteLedgerReport } from '../view/site-ledger.ts';
import { localLedgerLines } from '../view/local-ledger.ts';
import { aligned } from '../view/aligned.ts';

type Options = { readonly client?: string; readonly json?: boolean; readonly chains?: boolean };

/** `qflare privacy ledger DIR`: who has spent what, what is left, and for how many rounds. */
export function ledgerCommand(): Command {
  return new Command('ledger')
    .description('what each client has spent of its budget, what is left, and for how many rounds')
    .argument(
      '<dir>',
      "the coordinator's folder, whether it runs or not; or under local privacy the state folder of a site: what it has released by its own ledger",
    )
    .option('--client <id>', 'every entry of one client')
    .option('--json', 'print one JSON document')
    .option('--chains', 'with --json: the hash of every entry too, for "audit verify --ledger-heads"')
    .addHelpText(
      'after',
      '\nThe ledger is checked entry by entry first: exit code 5 when it was changed. Keep the output of --json elsewhere:\n"restore --ledger-heads" refuses a ledger that is behind it.',
    )
    .action(async (dir: string, options: Options) => {
      if (isSiteFolder(resolve(dir))) return showSite(resolve(dir), options);
      const { record, ledger } = await read(resolve(dir));
      const { client } = options;
      const chains = [...ledger].filter(([subject]) => client === undefined || subject === client);
      if (client !== undefined && chains.length === 0 && record.privacy?.local === undefined) {
        throw new Failure('plan', `Cannot show the ledger of ${client} as it must have entries: it has none`);
      }
      const report = { runId: record.runId, status: record.status, reason: record.reason, ...record.privacy };
      if (options.json === true) {
        const entries = client === undefined ? {} : { entries: chains.flatMap(([, chain]) => chain) };
        const hashes = Object.fromEntries([...ledger].map(([subject, chain]) => [subject, hashesOf(chain)]));
        const shown = options.chains === true ? { chains: hashes } : {};
        process.stdout.write(`${JSON.stringify({ ...report, ...entries, heads: ledgerHeads(ledger), ...shown })}\n`);
        return;
      }
      const { privacy } = record;
      const lines =
        privacy?.local !== undefined
          ? localLedgerLines(privacy, privacy.local)
          : client === undefined
            ? ledgerLines(record, ledger)
            : entryLines(chains[0]![1]);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

/** A site's own ledger, under local privacy. */
async function showSite(folder: string, { client, json, chains }: Options): Promise<void> {
  const { entries, ...report } = await siteLedgerReport(folder);
  if (client !== undefined && client !== report.clientId) {
    throw new Failure(
      'plan',
      `Cannot show the ledger of ${client} as this is the folder of ${report.clientId}: a site keeps its own alone`,
    );
  }
  if (json === true) {
    const shown = {
      ...report,
      ...(client === undefined ? {} : { entries }),
      ...(chains === true ? { chain: entries.map(({ hash }) => hash) } : {}),
    };
    process.stdout.write(`${JSON.stringify(shown)}\n`);
    return;
  }
  const lines = client === undefined ? siteLedgerLines({ ...report, entries }) : entryLines(entries);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function read(folder: string): Promise<{ record: RunRecord; ledger: ReadonlyMap<string, LedgerChain> }> {
  const paths = pathsOf(folder);
  if (!existsSync(paths.settings)) {
    throw new Failure(
      'plan',
      `Cannot read a ledger of ${folder} as it must be a coordinator's folder, or under local privacy the state folder of a site: it has neither coordinator.json nor identity.json`,
    );
  }
  const [settings, plan] = await Promise.all([readSettings(paths), readPlan(paths.plan)]);
  if (!existsSync(paths.database)) {
    throw new Failure('plan', `Cannot read the ledger of ${folder} as it must have been served: it holds no run yet`);
  }
  if (plan.privacy.mode === 'off') {
    throw new Failure(
      'plan',
      `Cannot read a ledger as privacy.mode must be "central" or "local": current value is "off"`,
    );
  }
  const { readRun } = await import('../../node/read-run.ts');
  return readRun(paths, plan, settings);
}

function ledgerLines({ privacy }: RunRecord, ledger: ReadonlyMap<string, LedgerChain>): readonly string[] {
  const central = privacy?.central;
  if (privacy === undefined || central === null || central === undefined) return ['no budget has been granted yet'];
  const rows = central.clients.map((client) => rowOf(client, central.rule));
  const header = ['client', 'spent', 'of', 'left', 'rounds left', 'runs out in rounds (5, 50, 95 %)', 'odometer'];
  const entries = [...ledger.values()].reduce((sum, chain) => sum + chain.length, 0);
  return [
    privacy.statement,
    `purpose "${central.purpose}", ε by ${central.rule}; noise multiplier ${central.noiseMultiplier.toPrecision(6)}, clip norm ${central.radius.toPrecision(4)}, ${central.roundsPlanned} rounds planned`,
    '',
    ...aligned([header, ...rows]),
    ...groupLines(central.groups ?? []),
    '',
    `${entries} entries of ${ledger.size} clients: each follows from the one before`,
  ];
}

/** What the clients of one person or site have lost together. */
function groupLines(groups: readonly GroupBudget[]): readonly string[] {
  if (groups.length === 0) return [];
  const rows = groups.map(({ name, clients, epsilon, limit }) => [
    name,
    epsilon.toFixed(4),
    limit === null ? 'no limit' : String(limit),
    clients.join(', '),
  ]);
  return ['', ...aligned([['group', 'spent together', 'of', 'clients'], ...rows])];
}

function rowOf(client: ClientBudget, rule: 'plan' | 'filter'): readonly string[] {
  const { clientId, granted, roundsLeft } = client;
  const spent = client[rule];
  const left = Math.max(0, granted - spent);
  return [
    clientId,
    spent.toFixed(4),
    String(granted),
    left.toFixed(4),
    String(roundsLeft),
    roundsLeft === 0 && client.forecast === null ? 'out' : forecastText(client),
    client.odometer.toFixed(4),
  ];
}

function entryLines(chain: LedgerChain | SiteLedger): readonly string[] {
  return chain.map(({ index, hash, event }) => {
    const { kind, subject: _, ...facts } = event;
    const said = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
    return `${index} ${kind} ${said.join(', ')} (${hash.slice(0, 12)}…)`;
  });
}
