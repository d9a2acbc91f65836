import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { initFolder } from '../../src/cli/commands/init.ts';
import { pathsOf, readRunRecord } from '../../src/cli/coordinator-folder.ts';
import { type Child, firstJsonLine, logTail, type ProcessGroup } from '../../src/cli/demo/processes.ts';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';
import { chooseAttackers, hostileProgram } from '../../src/simulation/demo/hostile.ts';
import { prepareSites } from '../../src/simulation/demo/sites.ts';
import { type SocketCell, together } from './matrix.ts';

/** What a federation of processes came to. */
export type SocketOutcome = {
  readonly status: RunRecord['status'];
  /** On the 10,000 test images, of the last round's model. */
  readonly accuracy: number | null;
  readonly curve: readonly (readonly [round: number, accuracy: number])[];
  /** Clients flagged in more than half of the rounds in which their update was looked at, in shares. */
  readonly flagged: { readonly attackers: number | null; readonly honest: number };
  /** Updates that the coordinator refused at its door. */
  readonly refused: number;
  /** Processes that were started: the coordinator, honest clients, hostile ones. */
  readonly processes: number;
  /** What the clients read from their own connections. */
  readonly tls: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly seconds: number;
};

/** Runs one cell: `qflare serve`, a `qflare join` for each honest site, and a hostile program for each attacker. */
export async function runSocketCell(
  cell: SocketCell,
  { group, folder }: { readonly group: ProcessGroup; readonly folder: string },
): Promise<SocketOutcome> {
  const { plan, attack } = cell;
  const clientIds = Array.from({ length: plan.cohort.expected }, (_, i) => `client-${String(i + 1).padStart(2, '0')}`);
  const attackers = new Set(hostileAmong(clientIds, cell));
  const data = await sitesOf(cell, clientIds, folder);
  const run = join(folder, 'run', cell.key.slice(0, 12));
  await rm(run, { recursive: true, force: true });
  await initFolder(run, {
    orgId: 'sockets',
    host: '127.0.0.1',
    plan: { ...plan, data: { ...plan.data, test: join(data, 'test') } } as never,
    unlocking: await findUnlocking(process.env),
  });
  const name = (child: string) => `${cell.key.slice(0, 12)}-${child}-${randomUUID().slice(0, 4)}`;
  const server = group.startCommand(name('coordinator'), ['serve', run, '--json']);
  const { links } = await firstJsonLine<{ links: readonly { subject: string; link: string }[] }>(server);
  const siteOf = (clientId: string) => join(data, 'sites', clientId);
  const knowledge = together.has(attack) ? [...attackers].flatMap((id) => ['--accomplice', siteOf(id)]) : [];
  const clients = links.map(({ subject, link }) => {
    const where = ['--data', siteOf(subject), '--state', join(run, 'devices', subject)];
    const hostile = ['--link', link, '--attack', attack, ...knowledge, ...where];
    return attackers.has(subject)
      ? group.startFile(name(subject), hostileProgram, hostile)
      : group.startCommand(name(subject), ['join', link, '--name', subject, ...where]);
  });
  await ended(server, clients);
  const record = await readRunRecord(pathsOf(run));
  await rm(run, { recursive: true, force: true });
  return outcomeOf(record, attackers);
}

function hostileAmong(clientIds: readonly string[], { attack, attackers, seed }: SocketCell): readonly string[] {
  // Whether it lies in its update or in its data, the same clients do.
  const options = { count: attack === 'none' ? 0 : attackers, attack: ['sign-flip'], seed };
  return chooseAttackers(clientIds, options).map(({ clientId }) => clientId);
}

/** The sites' folders, which all cells of a seed share. */
async function sitesOf(cell: SocketCell, clientIds: readonly string[], folder: string): Promise<string> {
  const { seed, alpha, samples } = cell;
  const data = join(folder, `data-${seed}-${clientIds.length}-${alpha}-${samples}`);
  const isThere = await stat(join(data, 'whole')).catch(() => undefined);
  if (isThere !== undefined) return data;
  await prepareSites(data, { clientIds, alpha, seed, samples });
  await mkdir(join(data, 'whole'));
  return data;
}

async function ended(server: Child, clients: readonly Child[]): Promise<void> {
  const failed = async (child: Child) => {
    const code = await child.exited;
    if (code !== 0) throw new Error(`${child.name} ended with code ${code}: ${await logTail(child)}`);
  };
  await Promise.all([server, ...clients].map(failed));
}

function outcomeOf(record: RunRecord, attackers: ReadonlySet<string>): SocketOutcome {
  const curve = record.rounds.flatMap(({ round, accuracy }) => (accuracy === null ? [] : [[round, accuracy] as const]));
  const flagged = record.flagged.filter((id) => attackers.has(id)).length;
  return {
    status: record.status,
    accuracy: curve.at(-1)?.[1] ?? null,
    curve,
    flagged: {
      attackers: attackers.size === 0 ? null : flagged / attackers.size,
      honest: (record.flagged.length - flagged) / (record.clientIds.length - attackers.size),
    },
    refused: record.rounds.reduce((sum, { refused }) => sum + refused.length, 0),
    processes: 1 + record.clientIds.length,
    tls: record.tls === null ? 'not reported' : `${record.tls.protocol} ${record.tls.group}`,
    bytesUp: record.bytesUp,
    bytesDown: record.bytesDown,
    seconds: record.seconds,
  };
}
