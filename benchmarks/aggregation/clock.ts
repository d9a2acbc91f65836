import process from 'node:process';

/** CPU milliseconds of this process: on a shared machine wall time tells more about the neighbours. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What is measured: `run` answers with its own milliseconds; `most` limits how often it is worth its time. */
export type Subject = { run(): Promise<number>; readonly most?: number };

/** What is shorter than this runs eight times in a row, and the least counts: numpy's side does the same. */
const shortMs = 5;

/** A subject of this process, by a clock. */
export function own(work: () => Promise<unknown> | unknown, clock = cpuMs): Subject {
  return {
    async run() {
      let least = Number.POSITIVE_INFINITY;
      for (let count = 0; count < (least < shortMs ? 8 : 1); count++) {
        const start = clock();
        await work();
        least = Math.min(least, clock() - start);
      }
      return least;
    },
  };
}

/** The least milliseconds of each subject over all that was measured, by name. */
export type Least = Map<string, number>;

/**
 * Measures subjects in turn, so that they meet the same neighbours: one run of each a round, three rounds at least, then
 * until the budget is spent or twelve are done. What takes a quarter of the budget or more runs twice.
 */
export async function inTurn(subjects: ReadonlyMap<string, Subject>, budgetMs: number, least: Least): Promise<void> {
  const end = performance.now() + budgetMs;
  for (let round = 0; round < 12 && (round < 3 || performance.now() < end); round++) {
    for (const [name, { run, most = 12 }] of subjects) {
      const known = least.get(name) ?? Number.POSITIVE_INFINITY;
      if (round >= most || (round >= 2 && known > budgetMs / 4)) continue;
      least.set(name, Math.min(known, await run()));
    }
  }
}
