import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import type { CoverAnswer, RunAnswer, Task } from './worker.ts';

// Modules of a generation are never freed: a process that has grown this much is exchanged for a new one.
const memoryBytesMax = 700 * 2 ** 20;
const startMsMax = 60_000;

/** A process that runs tests, started when it is needed and again when it was killed. */
export class Runner {
  readonly #root: string;
  #child: ChildProcess | undefined;
  constructor(root: string) {
    this.#root = root;
  }

  /** The answer, or why there is none: the time was over, or the process ended. */
  async ask(task: Extract<Task, { kind: 'run' }>, limitMs: number): Promise<RunAnswer | 'late' | 'ended'> {
    const answer = await this.#ask(task, limitMs);
    if (typeof answer === 'string' || answer.memoryBytes > memoryBytesMax) await this.stop();
    return answer;
  }

  /** What each test of a file reaches, in a process of its own. */
  async cover(file: string, limitMs: number): Promise<CoverAnswer | 'late' | 'ended'> {
    await this.stop();
    const answer = await this.#ask({ kind: 'cover', file }, limitMs);
    await this.stop();
    return answer as CoverAnswer;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await closed;
  }

  async #ask(task: Task, limitMs: number): Promise<RunAnswer | 'late' | 'ended'> {
    if (this.#child === undefined) {
      this.#child = start(this.#root);
      const greeting = await answerOf(this.#child, startMsMax);
      if (typeof greeting === 'string') throw new Error(`Cannot run tests as a process must start: it is ${greeting}`);
    }
    const answer = answerOf(this.#child, limitMs);
    this.#child.send(task, () => {});
    return answer;
  }
}

function answerOf(child: ChildProcess, limitMs: number): Promise<RunAnswer | 'late' | 'ended'> {
  return new Promise((resolve) => {
    const end = (answer: RunAnswer | 'late' | 'ended'): void => {
      clearTimeout(limit);
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(answer);
    };
    const onMessage = (answer: unknown): void => end(answer as RunAnswer);
    const onExit = (): void => end('ended');
    const limit = setTimeout(() => end('late'), limitMs);
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

function start(root: string): ChildProcess {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, NODE_V8_COVERAGE: ___, QFLARE_DEEP: ____, ...env } = process.env;
  return fork(join(import.meta.dirname, 'worker.ts'), [root], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: ['--no-warnings'],
    serialization: 'json',
    env,
  });
}
