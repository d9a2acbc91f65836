import { resolve } from 'node:path';
import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import { formatLink } from '../../client/link.ts';
import type { Coordinator } from '../../coordinator/coordinator.ts';
import { type ChannelProfile, channelProfiles, describeProfile } from '../../core/protocol/channel-profile.ts';
import { hasEnded } from '../../coordinator/state.ts';
import {
  lockFolder,
  type Paths,
  pathsOf,
  readPlan,
  readSettings,
  type Settings,
  writeWhole,
} from '../coordinator-folder.ts';
import { clockBehindRun } from '../clock-behind-run.ts';
import { explainStorage, Failure } from '../failure.ts';
import { type KmeFlags, kmeOf, withKmeFlags } from '../kme-options.ts';
import { createRunView } from '../view/run-view.ts';

// Twice the longest pause between two attempts of a client.
const lingerMsMax = 15_000;
// Lists of revoked certificates are made anew at half of their seven days.
const refreshMs = 3_600_000;

type Options = { port?: number; bind: string; noiseSource?: string; plainModel: boolean; json?: boolean } & KmeFlags;

export function serveCommand(): Command {
  return withKmeFlags(new Command('serve'))
    .description(
      "Run the coordinator of a folder: print a link for each expected client, run the plan's rounds, write the results",
    )
    .argument('<dir>', 'a folder that "qflare init" made')
    .option('--port <number>', 'the port to listen on (default: the one used before, else any free one)', parsePort)
    .option('--bind <address>', 'the address to listen on', '127.0.0.1')
    .option(
      '--noise-source <place>',
      'a further source of randomness for privacy noise and tokens (a device, or https://…{count}), tested, mixed in, never alone; counted at 1 bit a byte',
    )
    .option('--no-plain-model', 'leave the newest model sealed in the folder; "qflare export" gives it')
    .option('--json', 'print one JSON document when the coordinator listens; what happens goes to stderr')
    .addHelpText('after', '\nKilled in mid-round, it goes on where it stood when it is started again.')
    .action((dir: string, options: Options) => {
      const paths = pathsOf(resolve(dir));
      return serve(paths, options).catch((error: unknown) => {
        const sentence = explainStorage(error, paths.folder);
        if (sentence === undefined) throw error;
        throw new Failure(
          'storage',
          `${sentence}. Nothing that was acknowledged is lost: mend it, then "qflare serve ${dir}" goes on`,
        );
      });
    });
}

async function serve(paths: Paths, options: Options): Promise<void> {
  const settings = await readSettings(paths);
  const plan = await readPlan(paths.plan);
  const kme = await kmeOf(options);
  if (plan.security.qkd.policy === 'required' && kme === undefined) {
    throw new Failure(
      'security',
      `Cannot serve ${paths.folder} as the plan demands QKD keys (security.qkd.policy): --kme must name where they come from`,
    );
  }
  const { profile = 'default' } = settings;
  if (plan.security.profile !== profile) {
    throw new Failure(
      'security',
      `Cannot serve ${paths.folder} as security.profile must be ${profile}, for which its server key was made: current value is ${plan.security.profile} ("qflare init NEW --plan ${paths.plan}" makes a folder for it)`,
    );
  }
  const unlock = await lockFolder(paths);
  try {
    const startedAt = performance.now();
    const [
      { buildCoordinator },
      { createCoordinator },
      { createServer },
      { writeJournal, writeOutputs },
      { runRecordOf },
      { findUnlocking },
      { createKeyRotation },
    ] = await Promise.all([
      import('../../node/build-coordinator.ts'),
      import('../../coordinator/coordinator.ts'),
      import('../../coordinator/http/server.ts'),
      import('../run-folder.ts'),
      import('../../coordinator/run-record.ts'),
      import('../../node/unlocking.ts'),
      import('../../node/key-rotation.ts'),
    ]);
    const unlocking = await findUnlocking(process.env);
    const { parts: built, tls, vault } = await buildCoordinator(paths, plan, { ...settings, kme, unlocking });
    const noise = options.noiseSource === undefined ? undefined : await mixIn(options.noiseSource);
    const parts = noise === undefined ? built : { ...built, ...noise.into(built.crypto) };
    const coordinator = createCoordinator(parts);
    noise?.tellTo((kind, data) => void coordinator.note(kind, data).catch(() => {}));
    const host = settings.host ?? 'localhost';
    let port = options.port ?? settings.port ?? 0;
    const linkOf = (token: string) =>
      formatLink({
        host,
        port,
        token,
        pin: Uint8Array.fromHex(settings.pin),
        root: parts.crypto.sha256(parts.announcer.rootKey),
        profile: plan.security.profile,
        suite: plan.security.suite,
      });
    const rotation = await createKeyRotation({
      vault,
      announcer: parts.announcer,
      crypto: parts.crypto,
      nowMs: Date.now,
      tell: (kind, data) => void coordinator.note(kind, data).catch(() => {}),
    });
    const { ownerToken, rotate: rotateKey, revoke: revokeKey } = rotation;
    const { app } = createServer(coordinator, parts, { tls, ownerToken, rotateKey, revokeKey, linkOf });

    let refreshing: NodeJS.Timeout | undefined;
    let closeJournal = async () => {};
    try {
      await coordinator.start();
      await rotation.watch();
      await parts.authority?.refresh();
      refreshing = setInterval(() => void parts.authority?.refresh().catch(() => {}), refreshMs).unref();
      closeJournal = await writeJournal(paths, coordinator);
      port = await listen(app, port, options.bind);
      if (settings.port !== port || settings.bind !== options.bind)
        await writeWhole(paths.settings, `${JSON.stringify({ ...settings, port, bind: options.bind }, null, 2)}\n`);
      // A disk that refuses this ends the coordinator by itself. Before anybody hears that it is there.
      const stop = () => void coordinator.stop('stopped by a signal').catch(() => {});
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      const links = await inviteExpected(coordinator, plan.cohort.expected, linkOf);
      greet({ paths, settings, port, links, profile }, options);

      const note = clockBehindRun(Date.now(), coordinator.snapshot(), plan);
      if (note !== undefined) process.stderr.write(`${note}\n`);
      const view = createRunView(options.json === true ? process.stderr : process.stdout);
      coordinator.onCommit((rows) => {
        for (const { entry } of rows) if (entry.kind === 'round.closed') view.round(entry.data as never);
        view.progress(progressOf(coordinator));
      });

      await coordinator.ended;
      view.end();
      const record = runRecordOf(coordinator.snapshot(), parts, (performance.now() - startedAt) / 1000);
      await writeOutputs(paths, coordinator, { record, isModelPlain: options.plainModel });
      await waitForFarewell(coordinator);
      view.note(
        `${record.status}${record.reason === null ? '' : `: ${record.reason}`}. Results are in ${paths.folder}`,
      );
      if (record.status === 'failed') throw new Failure('network', `The run has failed: ${record.reason}`);
    } finally {
      // Whatever has happened: neither the port nor the clock may keep the process alive.
      coordinator.halt();
      rotation.stop();
      clearInterval(refreshing);
      await app.close();
      await Promise.allSettled([closeJournal()]);
      await parts.store.close();
    }
  } finally {
    await unlock();
  }
}

/** A further source of randomness: what it has to tell is journaled, and said on stderr, once the coordinator is there. */
async function mixIn(place: string) {
  const { mixNoise, noiseSourceOf } = await import('../../node/noise.ts');
  let journal: (kind: `entropy.${string}`, data: { detail: string }) => void = () => {};
  const { entropy } = mixNoise(noiseSourceOf(place, 1), ({ kind, detail }) => {
    process.stderr.write(`qflare: ${kind}: ${detail}\n`);
    journal(kind, { detail });
  });
  const randomBytes = (count: number): Uint8Array => {
    const bytes = new Uint8Array(count);
    entropy.fillBytes(bytes);
    return bytes;
  };
  return {
    into: <T extends object>(crypto: T) => ({ entropy, crypto: { ...crypto, randomBytes } }),
    tellTo(listener: typeof journal) {
      journal = listener;
    },
  };
}

async function listen(
  app: { listen(options: { port: number; host: string }): Promise<string>; server: { address(): unknown } },
  port: number,
  host: string,
): Promise<number> {
  try {
    await app.listen({ port, host });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new Failure('network', `Cannot listen on ${host} as --bind must be an address of this machine: it is not`);
    }
    if (code === 'EACCES') {
      throw new Failure(
        'network',
        `Cannot listen on port ${port} as this user must have the right to it: --port takes another`,
      );
    }
    if (code !== 'EADDRINUSE') throw error;
    throw new Failure(
      'network',
      `Cannot listen on port ${port} as it must be free: another program uses it (--port takes another)`,
    );
  }
  return (app.server.address() as { port: number }).port;
}

/** A link for each expected client, the first time; tokens are stored as hashes, so they cannot be printed again. */
async function inviteExpected(
  coordinator: Coordinator,
  expected: number,
  linkOf: (token: string) => string,
): Promise<readonly { subject: string; link: string }[]> {
  const { invitations, run } = coordinator.snapshot();
  if (invitations.size > 0 || hasEnded(run)) return [];
  const invited = await coordinator.enrolment.invite(expected);
  return invited.map(({ subject, token }) => ({ subject, link: linkOf(token) }));
}

function greet(
  what: {
    paths: Paths;
    settings: Settings;
    port: number;
    links: readonly { subject: string; link: string }[];
    profile: ChannelProfile;
  },
  options: Options,
): void {
  const { paths, settings, port, links, profile } = what;
  const url = `https://${settings.host ?? 'localhost'}:${port}`;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ url, runId: settings.runId, pin: settings.pin, profile, links })}\n`);
    return;
  }
  process.stdout.write(
    `Coordinator of ${settings.runId} at ${url} (TLS 1.3, ${channelProfiles[profile].group} only)\n`,
  );
  if (profile !== 'default') process.stdout.write(`Channel profile: ${describeProfile(profile)}\n`);
  if (links.length > 0) {
    process.stdout.write('\nOne link for each site; each can be used once:\n');
    for (const { subject, link } of links) process.stdout.write(`  ${subject}  qflare join '${link}' --data FOLDER\n`);
  }
  process.stdout.write(
    `\n"qflare status ${paths.folder}" tells more; Ctrl-C ends the run and keeps the last model.\n\n`,
  );
}

function progressOf(coordinator: Coordinator): string {
  const { run, devices } = coordinator.snapshot();
  const connected = coordinator.connectedClients().length;
  if (run.round === null) return `${connected} of ${devices.size} enrolled clients are connected`;
  const { number, phases, phaseIndex, accepted, participants, status } = run.round;
  const done = Object.keys(accepted).length;
  return `round ${number}, ${phases[phaseIndex]!.id}: ${status === 'collecting' ? `${done} of ${participants.length}` : status}`;
}

/**
 * Lets clients hear that the run has ended; they close their connection then. One that has lost it, as the coordinator
 * was restarted just before the end, comes back within this time: it would try for an hour otherwise.
 */
async function waitForFarewell(coordinator: Coordinator): Promise<void> {
  const until = performance.now() + lingerMsMax;
  const isAwaited = () => coordinator.connectedClients().length + coordinator.untoldClients().length > 0;
  while (isAwaited() && performance.now() < until) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}
