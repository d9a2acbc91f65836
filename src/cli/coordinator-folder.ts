import { randomBytes } from '../primitives/index.ts';
import { writeAside } from '../primitives/synced-file.ts';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parse as parseToml, TomlError } from 'smol-toml';
import { takeFileLock } from '../adapters/file-lock.ts';
import type { ChannelProfile } from '../core/protocol/channel-profile.ts';
import { type Plan, PlanError, parsePlan } from '../core/plan/plan.ts';
import type { RunRecord } from '../core/round/run-record.ts';
import { Failure } from './failure.ts';

/** Where things are in a coordinator's folder. */
export function pathsOf(folder: string) {
  return {
    folder,
    plan: join(folder, 'plan.toml'),
    settings: join(folder, 'coordinator.json'),
    keys: join(folder, 'keys'),
    tlsCertificate: join(folder, 'keys', 'tls.cert.pem'),
    vault: join(folder, 'keys', 'vault.json'),
    authority: join(folder, 'keys', 'authority.json'),
    token: join(folder, 'keys', 'token.json'),
    state: join(folder, 'state'),
    database: join(folder, 'state', 'run.db'),
    blobs: join(folder, 'state', 'blobs'),
    roundKeys: join(folder, 'round-keys'),
    qkdEpochs: join(folder, 'qkd-epochs'),
    lock: join(folder, 'state', 'serve.lock'),
    pid: join(folder, 'state', 'serve.pid'),
    journal: join(folder, 'journal.jsonl'),
    model: join(folder, 'model.safetensors'),
    modelRest: join(folder, 'model-rest.safetensors'),
    card: join(folder, 'card.json'),
    metrics: join(folder, 'metrics.csv'),
    report: join(folder, 'report.html'),
    record: join(folder, 'run.json'),
    demo: join(folder, 'demo.json'),
  } as const;
}

export type Paths = ReturnType<typeof pathsOf>;

/** What `init` settles and `serve` adds to: ids, and where the coordinator listens. */
export type Settings = {
  readonly orgId: string;
  readonly runId: string;
  /** SHA-256 of the server's SubjectPublicKeyInfo, in hexadecimal. */
  readonly pin: string;
  /** The channel that the server's key was made for; absent: the default. */
  readonly profile?: ChannelProfile;
  readonly host?: string;
  /** The file of a privacy ledger that runs share; in the run's own database unless given. */
  readonly ledger?: string;
  readonly port?: number;
  /** The address that the coordinator listens on: where the commands of its owner find it. */
  readonly bind?: string;
};

/** Reads and parses the plan; an error names the file, the path in it, the wish and the value. */
export async function readPlan(path: string): Promise<Plan> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Failure('plan', `Cannot read ${path} as there is no such file: "qflare init DIR" makes one`);
  });
  let input: unknown;
  try {
    input = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new Failure(
      'plan',
      `Cannot read ${path} as it must be TOML: line ${error.line}, column ${error.column}: ${error.message.split('\n')[0]}`,
    );
  }
  try {
    return parsePlan(input);
  } catch (error) {
    if (error instanceof PlanError) throw new Failure('plan', error.message.replace('the plan', path));
    throw error;
  }
}

export async function readSettings(paths: Paths): Promise<Settings> {
  const text = await readFile(paths.settings, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Failure(
      'plan',
      `Cannot use ${paths.folder} as it must be a coordinator's folder: "qflare init ${paths.folder}" makes it one`,
    );
  });
  return parseJson<Settings>(text, paths.settings);
}

/** Parses a JSON file of ours; one that was torn or edited is named. */
function parseJson<T>(text: string, path: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Failure('storage', `Cannot read ${path} as it must be JSON: ${(error as Error).message}`);
  }
}

/** The record that a coordinator left in its folder when the run ended. */
export async function readRunRecord(paths: Paths): Promise<RunRecord> {
  return parseJson<RunRecord>(await readFile(paths.record, 'utf8'), paths.record);
}

/** Writes a file so that it is whole or not there: aside, synced, renamed. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}.part`;
  await writeAside({ aside, path, mode }, (file) => file.writeFile(content));
}

/** Takes the folder for this process: two coordinators on one folder would tear its state. */
export async function lockFolder(paths: Paths): Promise<() => Promise<void>> {
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  const lock = takeFileLock(paths.lock);
  if (lock === undefined) {
    const holder = await readFile(paths.pid, 'utf8').catch(() => 'of unknown id');
    throw new Failure(
      'storage',
      `Cannot serve ${paths.folder} as no other coordinator may serve it: process ${holder} does`,
    );
  }
  // For people; the lock does not depend on it, and a full disk is told by what cannot do without it.
  await writeFile(paths.pid, String(process.pid)).catch(() => {});
  return async () => {
    await rm(paths.pid, { force: true });
    lock.release();
  };
}

/** Whether a coordinator serves the folder now. */
export function isServed(paths: Paths): boolean {
  if (!existsSync(paths.lock)) return false;
  const lock = takeFileLock(paths.lock);
  lock?.release();
  return lock === undefined;
}
