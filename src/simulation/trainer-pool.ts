import { Worker } from 'node:worker_threads';
import type { Dataset } from '../core/data/dataset.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Trainer, TrainerEvaluation, TrainerResult, TrainerTask } from '../ports/trainer.ts';

/** What a trainer thread starts with: the whole pool of samples in shared memory, and who holds which of them. */
export type TrainerWorkerData = {
  readonly plan: unknown;
  readonly training: Dataset;
  readonly shares: readonly Uint32Array[];
  /** The data of clients that poison theirs, by the number of the client: in place of their share. */
  readonly poisoned: ReadonlyMap<number, Dataset>;
  /** Clients that poison their data anew in every round. */
  readonly live: ReadonlyMap<number, string>;
};

/** A job for a trainer thread. */
export type TrainerJob = {
  readonly kind: 'train' | 'evaluate';
  /** The number of the client. */
  readonly index: number;
  readonly task: TrainerTask;
};

export type TrainerAnswer =
  | { readonly ok: true; readonly result: TrainerResult | TrainerEvaluation }
  | { readonly ok: false; readonly message: string };

type Waiting = { readonly job: TrainerJob; resolve(result: never): void; reject(error: Error): void };

/** Trainers over worker threads: one client a thread at a time. Results do not depend on the number of threads. */
export type TrainerPool = { trainerOf(index: number): Trainer; close(): Promise<void> };

export function createTrainerPool(options: {
  readonly plan: Plan;
  readonly training: Dataset;
  readonly shares: readonly Uint32Array[];
  readonly poisoned: ReadonlyMap<number, Dataset>;
  readonly live?: ReadonlyMap<number, string>;
  readonly threads: number;
}): TrainerPool {
  const workerData: TrainerWorkerData = {
    plan: structuredClone(options.plan),
    training: shared(options.training),
    shares: options.shares,
    poisoned: options.poisoned,
    live: options.live ?? new Map(),
  };
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const workers = Array.from(
    { length: options.threads },
    () => new Worker(new URL(`./trainer-worker.${suffix}`, import.meta.url), { workerData }),
  );
  const idle = [...workers];
  const running = new Map<Worker, Waiting>();
  const waiting: Waiting[] = [];

  function next(): void {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.pop()!;
      const one = waiting.shift()!;
      running.set(worker, one);
      worker.postMessage(one.job);
    }
  }

  for (const worker of workers) {
    worker.on('message', (answer: TrainerAnswer) => {
      const one = running.get(worker)!;
      running.delete(worker);
      idle.push(worker);
      if (answer.ok) one.resolve(answer.result as never);
      else one.reject(new Error(answer.message));
      next();
    });
    worker.on('error', (error) => running.get(worker)?.reject(error as Error));
  }

  function run<T>(job: TrainerJob): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      next();
    });
  }

  return {
    trainerOf: (index) => ({
      categoriesOf: (what) =>
        what === 'label'
          ? (options.poisoned.get(index)?.labels ?? options.shares[index]!.map((i) => options.training.labels[i]!))
          : undefined,
      train: (task) => run<TrainerResult>({ kind: 'train', index, task }),
      evaluate: (task) => run<TrainerEvaluation>({ kind: 'evaluate', index, task }),
    }),
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The same dataset in memory that threads share. */
function shared(data: Dataset): Dataset {
  const memory = new SharedArrayBuffer(data.features.byteLength);
  const features = data.features instanceof Uint8Array ? new Uint8Array(memory) : new Float32Array(memory);
  features.set(data.features);
  return { ...data, features };
}
