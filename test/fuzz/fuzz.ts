import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';

const hangMs = 10_000;
const grownBytesMax = 24 << 20;

type Report = {
  readonly target: string;
  readonly cases: number;
  readonly accepted: number;
  readonly seconds: number;
  readonly slowestMs: number;
  readonly grownBytes: number;
};
type Finding = { readonly target: string; readonly index: number; readonly problem: string };
type Message =
  | ({ readonly kind: 'finding' } & Finding)
  | { readonly kind: 'done'; readonly names: readonly string[]; readonly reports: readonly Report[] };

/** How a case is run again. */
function replayOf(seed: number, { target, index }: { readonly target: string; readonly index: number }): string {
  return `QFLARE_FUZZ=${seed}/${target}/${index} node tools/run-tests.ts test/fuzz`;
}

/**
 * Runs so many mutated inputs through every reader. Nothing may throw past it but what a reader documents, keep memory,
 * or hang; what is accepted must be what it says.
 */
export async function fuzz(seed: number, cases: number): Promise<readonly string[]> {
  const replay = process.env['QFLARE_FUZZ']?.split('/');
  const only = replay === undefined ? null : { target: replay[1]!, index: Number(replay[2]) };
  const shared = new SharedArrayBuffer(12);
  const workerData = { seed: replay === undefined ? seed : Number(replay[0]), cases, only, shared };
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData });
  const findings: Finding[] = [];
  const reports = await new Promise<readonly Report[]>((resolve, reject) => {
    const at = new Int32Array(shared);
    let last = -1;
    const watchdog = setInterval(() => {
      const done = Atomics.load(at, 2);
      if (done === last && done > 0) {
        const stuck = `target ${at[0]}, case ${at[1]}`;
        reject(new Error(`Cannot go on as a case must end within ${hangMs} ms: ${stuck} of seed ${seed} hangs`));
        void worker.terminate();
      }
      last = done;
    }, hangMs);
    worker.on('message', (message: Message) => {
      if (message.kind === 'finding') findings.push(message);
      else resolve(message.reports);
    });
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watchdog));
  });
  const shown = findings
    .slice(0, 5)
    .map((one) => `${one.target}: ${one.problem}\n  replay: ${replayOf(workerData.seed, one)}`);
  assert.equal(findings.length, 0, `${findings.length} findings\n${shown.join('\n')}`);
  if (only === null) {
    for (const { target, cases: count, grownBytes, accepted } of reports) {
      assert.ok(grownBytes < grownBytesMax, `${target} keeps ${grownBytes} bytes`);
      // A target of which nothing is accepted, or nothing refused, tests its first check only.
      assert.ok(accepted > 0 || count < 400, `${target} accepts nothing`);
    }
    const accepted = reports.reduce((sum, report) => sum + report.accepted, 0);
    assert.ok(accepted < 0.6 * cases, 'most inputs are accepted: the mutations change nothing');
  }
  return reports.map(
    ({ target, cases: count, accepted, seconds, slowestMs, grownBytes }) =>
      `${target}: ${count} cases, ${accepted} accepted, ${Math.round(count / seconds)} a second, slowest ${slowestMs.toFixed(1)} ms, ${Math.round(grownBytes / 1024)} KiB kept`,
  );
}
