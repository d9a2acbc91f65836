import { columnsResult } from './chunk-columns.ts';
import { distancesOf } from './chunk-distances.ts';
import { combineOf, gramOf, signsOf, starOf } from './chunk-sums.ts';
import type { ChunkResult, ChunkTask } from './chunk-task.ts';
import { Lane } from './lane.ts';

export type ChunkRunner = (task: ChunkTask) => ChunkResult;

/** Runs chunk tasks on this thread over a shared memory. */
export function createChunkRunner(memory: WebAssembly.Memory): ChunkRunner {
  const lane = new Lane(memory);
  return (task) => {
    lane.reset(task.scratch);
    const table = lane.takeWords(task.addresses.length);
    table.view.set(task.addresses);
    switch (task.work.kind) {
      case 'gram':
        return gramOf(lane, task, table.address);
      case 'star':
        return starOf(lane, task, table.address, task.work.reference);
      case 'signs':
        return signsOf(lane, task, table.address);
      case 'distances':
        return distancesOf(lane, task, table.address, task.work);
      case 'combine':
        return combineOf(lane, task, table.address, task.work);
      case 'columns':
        return columnsResult(lane, task, table.address, task.work);
    }
  };
}
