import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { allocator, nodeFlagsOf } from '../../tools/tuning.js';

const launcher = fileURLToPath(new URL('../../bin/qflare.js', import.meta.url));

/** The command line as a process: what it printed so far, and its exit code once it has ended. */
export type Process = {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  out(): string;
  err(): string;
  /** The first line of its output, as JSON. */
  firstJson<T>(): Promise<T>;
};

const running = new Set<ChildProcess>();

export function start(...args: readonly string[]): Process {
  const flags = nodeFlagsOf(args[0]);
  // The test runner's own flags would make a test runner of the command.
  const own = process.execArgv.filter((flag) => !flag.startsWith('--test') && !flags.includes(flag));
  // So tuned, the launcher runs the command in its own process: a signal to it is a signal to the coordinator.
  const child = spawn(process.execPath, [...own, ...flags, launcher, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...allocator, NODE_TEST_CONTEXT: undefined },
  });
  running.add(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const exited = new Promise<number>((resolve) => {
    // Not 'exit': the output must be whole.
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(signal === null ? (code ?? 70) : 128);
    });
  });
  return {
    child,
    exited,
    out: () => out,
    err: () => err,
    async firstJson<T>() {
      while (!out.includes('\n')) {
        const code = await Promise.race([exited, sleep(5)]);
        if (code !== undefined && !out.includes('\n'))
          throw new Error(`qflare ${args.join(' ')} ended: ${code} ${err}`);
      }
      return JSON.parse(out.slice(0, out.indexOf('\n'))) as T;
    },
  };
}

/** Runs a command to its end. */
export async function runToEnd(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const made = start(...args);
  const limit = setTimeout(() => made.child.kill('SIGKILL'), 60_000);
  const code = await made.exited;
  clearTimeout(limit);
  return { code, out: made.out(), err: made.err() };
}

export function sleep(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms);
  });
}

/** Kills -9 and waits until the process is gone. */
export async function kill(made: Process): Promise<void> {
  made.child.kill('SIGKILL');
  await made.exited;
}

/** Ends every process that was started here and still runs. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
