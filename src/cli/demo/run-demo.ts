import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { evolve, initialState, type RunState } from '../../coordinator/state.ts';
import { type Plan, parsePlan } from '../../core/plan/plan.ts';
import { findUnlocking } from '../../node/unlocking.ts';
import { phaseOf } from '../../core/round/round.ts';
import type { DemoRecord, RunRecord } from '../../core/round/run-record.ts';
import { renderReport } from '../../core/report/html.ts';
import type { JournalEntry } from '../../ports/store.ts';
import { initFolder } from '../commands/init.ts';
import { pathsOf, readRunRecord, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { createOwnerClient } from '../owner-client.ts';
import { createRunView, progressText, type RunView } from '../view/run-view.ts';
import { summaryLines } from '../view/summary-lines.ts';
import { colorsFor } from '../view/text.ts';
import { type DemoOptions, demoPlan } from './demo-plan.ts';
import { type Child, firstJsonLine, logTail, ProcessGroup } from './processes.ts';

type Attacker = { readonly clientId: string; readonly attack: string };
type Comparison = { readonly accuracy: number; readonly accuracyByRound: readonly number[] };

/** What the demo needs of the simulation. It is handed in, so that nothing else here can reach an attack. */
export type Simulation = {
  readonly sites: {
    prepareSites(
      folder: string,
      options: { clientIds: readonly string[]; alpha: number; seed: number },
    ): Promise<unknown>;
  };
  readonly comparison: {
    runComparison(
      input: {
        kind: 'undefended' | 'centralized';
        folder: string;
        plan: unknown;
        clientIds: readonly string[];
        attackers: readonly Attacker[];
      },
      onRound: (round: number) => void,
    ): Promise<Comparison>;
  };
  readonly hostile: {
    readonly hostileProgram: URL;
    chooseAttackers(
      clientIds: readonly string[],
      options: { count: number; attack: readonly string[]; seed: number },
    ): readonly Attacker[];
  };
};
const redrawMs = 250;

type Links = { readonly url: string; readonly links: readonly { readonly subject: string; readonly link: string }[] };

/** Runs the main job from the empty folder to the finished report. */
export async function runDemo(
  options: DemoOptions & { readonly folder: string; readonly command: string; readonly json?: boolean },
  simulation: Simulation,
): Promise<{ readonly run: RunRecord; readonly demo: DemoRecord }> {
  const { folder, seed, alpha } = options;
  const paths = pathsOf(folder);
  const stream = options.json === true ? process.stderr : process.stdout;
  const view = createRunView(stream);
  const plan = parsePlan(demoPlan(options));
  const clientIds = Array.from({ length: options.clients }, (_, i) => `client-${String(i + 1).padStart(2, '0')}`);
  const attackers = simulation.hostile.chooseAttackers(clientIds, {
    count: options.attackers,
    attack: options.attack,
    seed,
  });

  const unlocking = await findUnlocking(process.env);

  view.heading(headingOf(options, attackers.length));
  view.progress('dealing 60,000 images over the sites');
  await Promise.all([
    simulation.sites.prepareSites(folder, { clientIds, alpha, seed }),
    initFolder(folder, { orgId: 'demo', host: '127.0.0.1', plan: demoPlan(options), unlocking }),
    mkdir(join(folder, 'logs'), { recursive: true }),
  ]);

  const group = new ProcessGroup(join(folder, 'logs'));
  const server = group.startCommand('coordinator', ['serve', folder, '--json']);
  const { url, links } = await firstJsonLine<Links>(server);
  view.progress(`the coordinator listens at ${url}; ${clientIds.length} clients start`);
  const clients = links.map(({ subject, link }) => {
    const where = ['--data', join(folder, 'sites', subject), '--state', join(folder, 'sites', subject, 'device')];
    const attack = attackers.find((one) => one.clientId === subject)?.attack;
    return attack === undefined
      ? group.startCommand(subject, ['join', link, '--name', subject, ...where])
      : group.startFile(subject, simulation.hostile.hostileProgram, ['--link', link, '--attack', attack, ...where]);
  });

  await follow(folder, { server, clients, view, plan });
  const run = await readRunRecord(paths);
  const demo = await compare({ options, attackers, clientIds, simulation, view, run });
  await writeWhole(paths.report, renderReport(run, demo));
  await writeWhole(paths.demo, `${JSON.stringify(demo)}\n`);
  view.end();
  const files = [
    { label: 'model', path: paths.model },
    { label: 'journal', path: paths.journal },
    { label: 'table', path: paths.metrics },
    { label: 'report', path: paths.report },
  ];
  for (const line of summaryLines(run, demo, { files, colors: colorsFor(stream) })) view.note(line);
  return { run, demo };
}

function headingOf(options: DemoOptions, attackers: number): string {
  return `QFLARE: ${options.clients} clients and a coordinator, each a process; ${attackers} of the clients attack; MNIST, Dirichlet(${options.alpha}), seed ${options.seed}`;
}

/** Shows the run as its journal tells it, until the coordinator and the clients have ended. */
async function follow(
  folder: string,
  parts: { readonly server: Child; readonly clients: readonly Child[]; readonly view: RunView; readonly plan: Plan },
): Promise<void> {
  const { server, clients, view, plan } = parts;
  const owner = await createOwnerClient(folder);
  const abort = new AbortController();
  let state: RunState = initialState;
  let openedAt = performance.now();
  const show = () => view.progress(progressOf(state, plan, (performance.now() - openedAt) / 1000));
  const redraw = setInterval(show, redrawMs);
  const watching = (async () => {
    for await (const event of owner.journal(abort.signal)) {
      const entry = JSON.parse(event.data) as JournalEntry;
      state = evolve(state, entry);
      if (entry.kind === 'round.opened') openedAt = performance.now();
      if (entry.kind === 'round.closed') view.round(state.records.at(-1)!);
    }
  })().catch(() => undefined);

  const early = Promise.race(
    clients.map(async (client) => {
      const code = await client.exited;
      if (code === 0) return new Promise<never>(() => {});
      throw new Failure('bug', `${client.name} ended with code ${code}: ${await logTail(client)}`);
    }),
  );
  const code = await Promise.race([server.exited, early]);
  clearInterval(redraw);
  abort.abort();
  owner.close();
  await watching;
  if (code !== 0) throw new Failure('bug', `The coordinator ended with code ${code}: ${await logTail(server)}`);
  await Promise.all(clients.map((client) => client.exited));
}

function progressOf({ round }: RunState, plan: Plan, seconds: number): string {
  if (round === null) return '  waiting for clients';
  return progressText({
    round: round.number,
    roundCount: plan.rounds.count,
    phase: round.status === 'collecting' ? phaseOf(round).id : `${phaseOf(round).id}, ${round.status}`,
    received: Object.keys(round.accepted).length,
    expected: round.participants.length,
    seconds,
  });
}

async function compare(parts: {
  readonly options: DemoOptions & { readonly folder: string; readonly command: string };
  readonly attackers: readonly { readonly clientId: string; readonly attack: string }[];
  readonly clientIds: readonly string[];
  readonly simulation: Simulation;
  readonly view: RunView;
  readonly run: RunRecord;
}): Promise<DemoRecord> {
  const { options, attackers, clientIds, simulation, view, run } = parts;
  const done = { undefended: 0, centralized: 0 };
  const start = (kind: 'undefended' | 'centralized') =>
    simulation.comparison.runComparison(
      { kind, folder: options.folder, plan: run.plan, clientIds, attackers },
      (round) => {
        done[kind] = round;
        view.progress(
          `comparisons, simulated: undefended ${done.undefended}, centralised ${done.centralized} of ${options.rounds} rounds`,
        );
      },
    );
  const [undefended, centralized] = await Promise.all([start('undefended'), start('centralized')]);
  return { attackers, undefended, centralized, command: options.command };
}
