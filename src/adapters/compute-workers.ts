import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createArena } from '../core/vector/arena.ts';
import type { ChunkResult, ChunkTask } from '../core/vector/chunk-task.ts';
import { createChunkedCompute } from '../core/vector/wasm.ts';
import type { Compute } from '../ports/compute.ts';

/** Chunks that are with a thread at once: while it works on one, the next is read and waits. */
const chunksAhead = 2;

/** Kernels on several threads; `close` ends them. */
export type WorkerCompute = Compute & { close(): Promise<void> };

/**
 * The SIMD kernels over worker threads that share one memory. The same rows give the same bits as on one thread.
 *
 * Errors: RangeError for a thread count that is no integer from 1 to 64; a pass rejects when its thread dies.
 */
export function createWorkerCompute(threadCount: number): WorkerCompute {
  if (!Number.isInteger(threadCount) || threadCount < 1 || threadCount > 64) {
    throw new RangeError(`Cannot start threads as their count must be from 1 to 64: current value is ${threadCount}`);
  }
  const arena = createArena();
  const threads = Array.from({ length: threadCount }, () => startThread(arena.memory));
  const compute = createChunkedCompute(arena, {
    name: `wasm × ${threadCount} threads`,
    lanes: threadCount * chunksAhead,
    run: (lane, task) => threads[lane % threadCount]!.run(task),
  });
  return { ...compute, close: async () => void (await Promise.all(threads.map((thread) => thread.close()))) };
}

type Thread = { run(task: ChunkTask): Promise<ChunkResult>; close(): Promise<number> };

type Waiting = { resolve(result: ChunkResult): void; reject(reason: unknown): void };

function startThread(memory: WebAssembly.Memory): Thread {
  const file = new URL(`./compute-worker${extname(import.meta.filename)}`, import.meta.url);
  const worker = new Worker(file, { workerData: { memory } });
  // An idle thread does not keep the process alive; while it works, the pass that waits for it does.
  worker.unref();
  // Tasks are answered in the order they were posted.
  let waiting: Waiting[] = [];
  const fail = (reason: unknown): void => {
    const failed = waiting;
    waiting = [];
    worker.unref();
    for (const { reject } of failed) reject(reason);
  };
  worker.on('message', (result: ChunkResult) => {
    const first = waiting.shift();
    if (waiting.length === 0) worker.unref();
    first?.resolve(result);
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('Cannot compute as a worker thread has ended')));
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        worker.ref();
        worker.postMessage(task);
      }),
    close: () => worker.terminate(),
  };
}
