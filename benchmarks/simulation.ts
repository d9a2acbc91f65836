// No-op client tasks a second in the simulation's fast path, at 7,850 parameters, and the time to start.
// Usage: npm run bench:simulation [-- --json]: with the nursery that `qflare simulate` has. Rounds are timed one by one: other
// load only ever makes one slower.
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

const runs: Awaited<ReturnType<typeof measure>>[] = [];
for (let repeat = 0; repeat < repeats; repeat++) runs.push(await measure());
const roundMs = runs.flatMap((run) => run.roundMs).sort((a, b) => a - b);
const perSecond = (ms: number) => Math.round((1000 * tasksInRound) / ms);
const report = {
  tasksPerSecond: perSecond(roundMs[roundMs.length >> 1]!),
  tasksPerSecondBest: perSecond(roundMs[0]!),
  startUpMs: Math.round(runs[0]!.startUpMs),
  parameters: 7850,
  clients,
  threads: 1,
  calibrationMs: Number(calibrationMs().toFixed(2)),
  counted: 'a client that trained or evaluated, and whose contribution was accepted and journaled',
  leftOut: leftOutByFastPath,
};

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  process.stdout.write(
    `${report.tasksPerSecond} no-op client tasks a second (median round; best ${report.tasksPerSecondBest}), ` +
      `${report.parameters} parameters, ${clients} clients, one thread; ` +
      `${report.startUpMs} ms from the start to the end of the first round\n` +
      `A task: ${report.counted}.\nLeft out: ${report.leftOut.join('; ')}.\n` +
      `A million additions in a plain loop: ${report.calibrationMs} ms here.\n`,
  );
}
