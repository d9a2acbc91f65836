import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { checkApplied, checkFinite, evaluationSums } from '../core/learning/trained.ts';
import { type Manifest, parameterCount } from '../core/model/manifest.ts';
import { decodeSafetensors, encodeSafetensors, valuesFor } from '../core/model/safetensors.ts';
import type { Trainer, TrainerResult, TrainerTask } from '../ports/trainer.ts';
import { runCommand } from './trainer-external/run-command.ts';

const resultBytesMax = 64 << 10;
const headerBytesMax = 1 << 20;

const trainedSchema = z.object({
  examples: z.int().min(0),
  metrics: z.record(z.string(), z.unknown()).optional(),
  steps: z.int().min(1).optional(),
  learningRate: z.number().positive().optional(),
  momentum: z.number().min(0).lt(1).optional(),
  applied: z.array(z.string()).optional(),
});
const evaluatedSchema = z.object({
  examples: z.int().min(0),
  metrics: z.object({ loss: z.number(), accuracy: z.number().min(0).max(1) }),
});

export type ExternalTrainerOptions = {
  /** The program and its arguments; the path of task.json is added at the end. No shell reads it. */
  readonly command: readonly [string, ...string[]];
  readonly manifest: Manifest;
  /** Handed on to the program as it is. */
  readonly dataDir: string;
  /** After this the program and its children are killed. */
  readonly seconds: number;
  /** Where the folder of one task is made; removed when the task is over. Default: the system's temporary folder. */
  readonly workDir?: string;
};

/**
 * Any program as a trainer. It gets the path of a `task.json` with absolute paths:
 *
 *     { task: 'train' | 'evaluate', model, output, result, round, seed, dataDir, limits: { seconds, outputBytes } }
 *
 * reads the safetensors file `model`, and writes `result` as JSON { examples, metrics }. In `train` it also writes the
 * trained weights to `output`, under the same tensor names; in `evaluate` its metrics hold `loss` and `accuracy`.
 *
 * What the plan's algorithm asks for beside plain training (`learning.client`):
 * - FedProx and Ditto add `proximal: { mu, anchor }` to the task: mu · (w − anchor) is to be added to every gradient,
 *   `anchor` being a safetensors file. SCAFFOLD adds `correction`, a safetensors file to be added to every gradient. A
 *   program that has done so says `applied: ["proximal"]` or `["correction"]` in its result; without it the update is
 *   refused here, as it would be that of another algorithm.
 * - `training.adaptive` adds `pace: { stepsMax, batchSize }`: at most so many steps of so many samples.
 * - FedNova and SCAFFOLD need `steps` in the result, SCAFFOLD also `learningRate`; `momentum` where there is any.
 *
 * Errors: an Error that names the command and what it did wrong, with the last lines that it printed.
 */
export function createExternalTrainer(options: ExternalTrainerOptions): Trainer {
  const { manifest } = options;
  return {
    train: (task) =>
      withTask(options, 'train', task, async (run) => {
        const file = decodeSafetensors(await run.read('output', outputBytesMax(manifest)));
        const parameters = checkFinite(manifest, valuesFor(manifest, file));
        const { applied, metrics: _, ...said } = await readResult(run, trainedSchema);
        checkApplied(task, applied);
        return { parameters, ...said } as TrainerResult;
      }),
    evaluate: (task) =>
      withTask(options, 'evaluate', task, async (run) => {
        const { examples, metrics } = await readResult(run, evaluatedSchema);
        return evaluationSums({ examples, ...metrics });
      }),
  };
}

type Run = { read(what: 'output' | 'result', bytesMax: number): Promise<Uint8Array> };

async function withTask<T>(
  options: ExternalTrainerOptions,
  task: 'train' | 'evaluate',
  { parameters, round, seed, proximal, correction, pace }: TrainerTask,
  collect: (run: Run) => Promise<T>,
): Promise<T> {
  const { command, manifest, seconds } = options;
  const folder = await mkdtemp(join(options.workDir ?? tmpdir(), 'qflare-task-'));
  const paths = {
    model: join(folder, 'model.safetensors'),
    output: join(folder, 'output.safetensors'),
    result: join(folder, 'result.json'),
  };
  const limits = { seconds, outputBytes: outputBytesMax(manifest) };
  const beside = {
    ...(proximal === undefined ? {} : { proximal: { mu: proximal.mu, anchor: join(folder, 'anchor.safetensors') } }),
    ...(correction === undefined ? {} : { correction: join(folder, 'correction.safetensors') }),
    ...(pace === undefined ? {} : { pace }),
  };
  const text = { task, ...paths, round, seed, dataDir: resolve(options.dataDir), limits, ...beside };
  let lastLines = '';
  try {
    await writeFile(paths.model, encodeSafetensors(manifest, parameters, { round: String(round) }));
    for (const [path, vector] of [
      [beside.proximal?.anchor, proximal?.anchor],
      [beside.correction, correction],
    ] as const) {
      if (path !== undefined) await writeFile(path, encodeSafetensors(manifest, vector!));
    }
    await writeFile(join(folder, 'task.json'), JSON.stringify(text, null, 2));
    lastLines = await runCommand([...command, join(folder, 'task.json')], seconds);
    return await collect({ read: (what, bytesMax) => readLimited(what, paths[what], bytesMax) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const said = lastLines === '' ? '' : `\nIts last lines were:\n${lastLines}`;
    throw new Error(`Cannot ${task} with "${command.join(' ')}": ${reason}${said}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readResult<T>(run: Run, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await run.read('result', resultBytesMax));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RangeError(`the result must be JSON: current value is ${JSON.stringify(text.slice(0, 80))}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new RangeError(`the result's ${issue.path.join('.')} is wrong (${issue.message}): it is ${text.slice(0, 200)}`);
}

async function readLimited(what: string, path: string, bytesMax: number): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new RangeError(`the program must write its ${what} to ${path}: there is no such file`);
  if (!found.isFile() || found.size > bytesMax) {
    throw new RangeError(`the ${what} must be a file of at most ${bytesMax} bytes: current value is ${found.size}`);
  }
  return readFile(path);
}

function outputBytesMax(manifest: Manifest): number {
  return 4 * parameterCount(manifest) + headerBytesMax;
}
