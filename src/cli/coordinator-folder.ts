import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { parse as parseToml, TomlError } from 'smol-toml';
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
    tlsKey: join(folder, 'keys', 'tls.key.pem'),
    tlsCertificate: join(folder, 'keys', 'tls.cert.pem'),
    signingSeed: join(folder, 'keys', 'signing.seed'),
    keyEncryptionKey: join(folder, 'keys', 'wrapping.key'),
    ownerToken: join(folder, 'keys', 'owner.token'),
    state: join(folder, 'state'),
    database: join(folder, 'state', 'run.db'),
    blobs: join(folder, 'state', 'blobs'),
    roundKeys: join(folder, 'round-keys'),
    qkdEpochs: join(folder, 'qkd-epochs'),
    lock: join(folder, 'state', 'serve.lock'),
    journal: join(folder, 'journal.jsonl'),
    model: join(folder, 'model.safetensors'),
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
  readonly host?: string;
  readonly port?: number;
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
  return JSON.parse(text) as Settings;
}

/** The record that a coordinator left in its folder when the run ended. */
export async function readRunRecord(paths: Paths): Promise<RunRecord> {
  return JSON.parse(await readFile(paths.record, 'utf8')) as RunRecord;
}

/** Writes a file so that it is whole or not there: aside, synced, renamed. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    const file = await open(aside, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Takes the folder for this process: two coordinators on one folder would tear its state. */
export async function lockFolder(paths: Paths): Promise<() => Promise<void>> {
  await mkdir(paths.state, { recursive: true, mode: 0o700 });
  if (existsSync(paths.lock)) {
    const holder = Number(await readFile(paths.lock, 'utf8'));
    if (holder !== process.pid && isAlive(holder)) {
      throw new Failure(
        'storage',
        `Cannot serve ${paths.folder} as another coordinator (process ${holder}) serves it already`,
      );
    }
    await rm(paths.lock, { force: true });
  }
  await writeFile(paths.lock, String(process.pid), { flag: 'wx' }).catch(() => {
    throw new Failure('storage', `Cannot serve ${paths.folder} as another coordinator has just taken it`);
  });
  return () => rm(paths.lock, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
