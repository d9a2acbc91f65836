import { parentPort, workerData } from 'node:worker_threads';
import { subset } from '../core/data/dataset.ts';
import { parsePlan } from '../core/plan/plan.ts';
import { trainingEngine } from '../node/training-engine.ts';
import type { Trainer } from '../ports/trainer.ts';
import { siteTrainer } from './live-poison-trainer.ts';
import type { TrainerAnswer, TrainerJob, TrainerWorkerData } from './trainer-pool.ts';

// A thread that trains for one client at a time, on one engine.
const { plan: input, training, shares, poisoned, live } = workerData as TrainerWorkerData;
const plan = parsePlan(input);
const engine = trainingEngine(plan.training.engine);
const trainers = new Map<number, Trainer>();

function trainerOf(index: number): Trainer {
  const known = trainers.get(index);
  if (known !== undefined) return known;
  const trainer = siteTrainer({
    plan,
    data: poisoned.get(index) ?? subset(training, shares[index]!),
    poison: live.get(index),
    engine,
  });
  trainers.set(index, trainer);
  return trainer;
}

async function answer({ kind, index, task }: TrainerJob): Promise<TrainerAnswer> {
  try {
    return { ok: true, result: await trainerOf(index)[kind](task) };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}

parentPort!.on('message', (job: TrainerJob) => {
  void answer(job).then((result) => parentPort!.postMessage(result));
});
