// No-op client tasks a second in the simulation's fast path, at 7,850 parameters, on one thread and on one for each core with
// a world of its own, and the time to start.
// Usage: npm run bench:simulation [-- --json]: with the nursery that `qflare simulate` has. Rounds are timed one by one: other
// load only ever makes one slower.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { parsePlan } from '../src/core/plan/plan.ts';
import type { Trainer } from '../src/ports/trainer.ts';
import { leftOutByFastPath, simulatePlan } from '../src/simulation/index.ts';

const [clients, rounds, repeats] = [50, 100, 3];
/** A round asks every client twice: to train and to evaluate. */
const tasksInRound = 2 * clients;
const plan = parsePlan({
  name: 'no-op',
  model: { kind: 'softmax-regression', inputs: 784, classes: 10 },
  rounds: { count: rounds },
  cohort: { expected: clients },
  aggregation: { pipeline: [{ rule: 'mean' }] },
});

// Two fixed models in turn, so that an update is not zero and nothing is trained.
const answers = [0.01, -0.01].map((value) => new Float32Array(7850).fill(value));
const noop: Trainer = {
  train: async ({ round }) => ({ parameters: answers[round % 2]!, examples: 1 }),
  evaluate: async () => ({ examples: 1, lossSum: 1, correctCount: 1 }),
};

async function measure(): Promise<{ readonly startUpMs: number; readonly roundMs: readonly number[] }> {
  const begunMs = performance.now();
  const ends: number[] = [];
  const onRound = () => void ends.push(performance.now());
  await simulatePlan({ plan, seed: 1, path: 'fast', trainerOf: () => noop, onRound });
  return { startUpMs: ends[0]! - begunMs, roundMs: ends.slice(1).map((end, i) => end - ends[i]!) };
}

/** How long a plain loop takes for a million additions: about 1 ms where nothing else runs. */
function calibrationMs(): number {
  const values = new Float64Array(1_000_000).fill(1);
  return Math.min(
    ...Array.from({ length: 20 }, () => {
      const begunMs = performance.now();
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[i]!;
      return sum === values.length ? performance.now() - begunMs : Number.NaN;
    }),
  );
}

const perSecond = (ms: number) => Math.round((1000 * tasksInRound) / ms);

type Measured = { readonly startUpMs: number; readonly roundMs: readonly number[] };

/** Worlds one after the other, their rounds by duration. */
async function worlds(): Promise<Measured> {
  const runs: Awaited<ReturnType<typeof measure>>[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) runs.push(await measure());
  const roundMs = runs.flatMap((run) => run.roundMs).sort((a, b) => a - b);
  return { startUpMs: runs[0]!.startUpMs, roundMs };
}

/** The same on threads of their own, all at once, as `qflare lab` runs the cells of a matrix. */
function onThreads(count: number): Promise<readonly Measured[]> {
  return Promise.all(
    Array.from({ length: count }, () => {
      const worker = new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 192 } });
      return new Promise<Measured>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
}

const medianOf = ({ roundMs }: Measured) => roundMs[roundMs.length >> 1]!;

if (!isMainThread) parentPort!.postMessage(await worlds());
else {
  const alone = await worlds();
  const threads = availableParallelism();
  const together = await onThreads(threads);
  print({
    tasksPerSecond: perSecond(medianOf(alone)),
    tasksPerSecondBest: perSecond(alone.roundMs[0]!),
    threads,
    tasksPerSecondOfAllThreads: together.reduce((sum, one) => sum + perSecond(medianOf(one)), 0),
    startUpMs: Math.round(alone.startUpMs),
    parameters: 7850,
    clients,
    calibrationMs: Number(calibrationMs().toFixed(2)),
    counted: 'a client that trained or evaluated, and whose contribution was accepted and journaled',
    leftOut: leftOutByFastPath,
  });
}

function print(report: {
  readonly tasksPerSecond: number;
  readonly tasksPerSecondBest: number;
  readonly threads: number;
  readonly tasksPerSecondOfAllThreads: number;
  readonly startUpMs: number;
  readonly parameters: number;
  readonly clients: number;
  readonly calibrationMs: number;
  readonly counted: string;
  readonly leftOut: readonly string[];
}): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  process.stdout.write(
    `${report.tasksPerSecond} no-op client tasks a second on one thread (median round; best ${report.tasksPerSecondBest}), ` +
      `${report.tasksPerSecondOfAllThreads} on ${report.threads} threads with a world each; ` +
      `${report.parameters} parameters, ${report.clients} clients; ` +
      `${report.startUpMs} ms from the start to the end of the first round\n` +
      `A task: ${report.counted}.\nLeft out: ${report.leftOut.join('; ')}.\n` +
      `A million additions in a plain loop: ${report.calibrationMs} ms here.\n`,
  );
}
