import process from 'node:process';

/** Something that takes time. */
export type Work = () => unknown | Promise<unknown>;

/** The processor's own clock moves in ticks of up to 4 ms on some kernels: of a sample of this length that is 2 %. */
const sampleMsMin = 200;
const warmMs = 1000;

/**
 * Processor milliseconds of this thread: on a shared machine wall time tells more about the neighbours, and other
 * threads of the process compile and collect garbage when it suits them.
 */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * The least time of the work over the least time of its yardstick.
 *
 * Other load can only make a run slower, and both see the same load, as they take turns: minima of the same minute.
 */
export async function ratioOf(
  { work, yardstick }: { readonly work: Work; readonly yardstick: Work },
  repeats: number,
  clock: () => number = threadMs,
): Promise<number> {
  const [worker, stick] = [await prepare(work, clock), await prepare(yardstick, clock)];
  let [leastWork, leastStick] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let repeat = 0; repeat < repeats; repeat++) {
    leastWork = Math.min(leastWork, await worker());
    leastStick = Math.min(leastStick, await stick());
  }
  return leastWork / leastStick;
}

/** Runs something until it is compiled, and gives what times it once, over as many runs as make a sample. */
async function prepare(run: Work, clock: () => number): Promise<() => Promise<number>> {
  const time = async (count: number): Promise<number> => {
    const begun = clock();
    for (let i = 0; i < count; i++) await run();
    return (clock() - begun) / count;
  };
  // Long enough for the engine to have chosen its fastest code.
  for (let spent = 0, calls = 0; spent < warmMs && calls < 2000; calls++) spent += await time(1);
  const count = Math.min(200, Math.max(1, Math.ceil(sampleMsMin / (await time(3)))));
  return () => time(count);
}
