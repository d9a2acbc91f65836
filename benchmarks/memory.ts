// How much memory a coordinator takes beyond what it has after its start, against the size of its model, at 2 and at 32
// clients. The coordinator is `qflare serve` in a process of its own; its peak is the kernel's (VmHWM), so Linux only.
// Usage: node benchmarks/memory.ts [--clients 2,32] [--megabytes 256] [--at-once 8] [--rule mean]
// [--learning fed-adam,fed-nova,…] [--json] [--write]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderPlanToml } from '../src/cli/plan-toml.ts';
import { createNodeCrypto } from '../src/adapters/crypto-node.ts';
import { createNodeDeflate } from '../src/adapters/deflate-node.ts';
import { codecs } from '../src/core/compression/index.ts';
import { updateShape } from '../src/core/plan/learning.ts';
import { type PlanInput, parsePlan } from '../src/core/plan/plan.ts';
import { clientAlgorithms } from '../src/core/learning/client/index.ts';
import { encodePayload } from '../src/core/protocol/payload.ts';
import { createRng } from '../src/core/random/rng.ts';
import { killAll, runToEnd, start } from '../test/system/processes.ts';
import { intoPage } from './into-page.ts';
import { createGate, runLightClient } from './light-client.ts';

const { values: flags } = parseArgs({
  options: {
    clients: { type: 'string', default: '2,32' },
    megabytes: { type: 'string', default: '256' },
    'at-once': { type: 'string', default: '8' },
    rule: { type: 'string', default: 'mean' },
    /** Optimisers of the server and algorithms of the clients, one table row each. */
    learning: { type: 'string', default: 'fed-avg' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const rounds = 2;
const codec = codecs['float16-zstd'];
const classes = 1000;
const megabyte = 1e6;

/** An update at random that no codec makes much smaller: what is measured is the worst case. */
function randomUpdate({ count: d, isNormalised }: ReturnType<typeof updateShape>): Uint8Array {
  const rng = createRng(3);
  const block = Float32Array.from({ length: 1 << 18 }, () => rng.float() - 0.5);
  const vector = Float32Array.from({ length: d }, (_, i) => block[i % block.length]!);
  return encodePayload(
    { claimedExamples: 1, ...(isNormalised ? { accumulation: 1 } : {}) },
    codec.encode(vector, createNodeDeflate()),
  );
}

function kilobytesOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

type Row = {
  readonly learning: string;
  readonly clients: number;
  readonly modelMB: number;
  readonly startMB: number;
  readonly peakMB: number;
  readonly growth: number;
  readonly seconds: number;
};

/** What an id stands for in a plan: an algorithm of the clients, or else an optimiser of the server. */
function learningOf(id: string): PlanInput['learning'] {
  if (id === 'fed-avg') return {};
  const isClient = Object.hasOwn(clientAlgorithms, id);
  return (isClient ? { client: { algorithm: id } } : { server: { optimizer: id } }) as PlanInput['learning'];
}

async function measure(learning: string, clients: number, megabytes: number): Promise<Row> {
  const inputs = Math.round((megabytes * megabyte) / 4 / classes) - 1;
  const modelBytes = 4 * classes * (inputs + 1);
  const folder = mkdtempSync(join(tmpdir(), 'qflare-memory-'));
  const planPath = join(folder, 'plan.toml');
  const plan = parsePlan({
    name: 'memory',
    model: { kind: 'softmax-regression', inputs, classes },
    rounds: { count: rounds },
    cohort: { expected: clients, quorum: clients, deadlineSeconds: 3600, absenceGraceSeconds: 600, gatherSeconds: 600 },
    aggregation: { pipeline: [{ rule: flags.rule }] as never },
    learning: learningOf(learning),
  });
  writeFileSync(planPath, renderPlanToml(plan));
  try {
    const made = await runToEnd('init', join(folder, 'run'), '--host', '127.0.0.1', '--plan', planPath);
    if (made.code !== 0) throw new Error(made.err);
    const served = start('serve', join(folder, 'run'), '--json');
    const { links } = await served.firstJson<{ readonly links: readonly { readonly link: string }[] }>();
    const pid = served.child.pid!;
    const begun = kilobytesOf(pid, 'VmRSS');
    const begunMs = performance.now();
    // The peak is asked for while the process lives; it only ever grows.
    let peak = begun;
    const watch = setInterval(() => {
      try {
        peak = Math.max(peak, kilobytesOf(pid, 'VmHWM'));
      } catch {
        clearInterval(watch);
      }
    }, 50);
    const crypto = createNodeCrypto();
    const update = randomUpdate(updateShape(plan));
    const gate = createGate(Number(flags['at-once']));
    await Promise.all(
      links.map(({ link }, i) => {
        const name = `client-${i}`;
        const stateFolder = join(folder, name);
        return runLightClient({ link, name, stateFolder, crypto, codec: codec.wireId, update, gate });
      }),
    );
    clearInterval(watch);
    const seconds = (performance.now() - begunMs) / 1000;
    const code = await served.exited;
    if (code !== 0) throw new Error(`the coordinator ended with ${code}: ${served.err()}`);
    const toMB = (kilobytes: number) => Math.round((kilobytes * 1024) / megabyte);
    return {
      learning,
      clients,
      modelMB: Math.round(modelBytes / megabyte),
      startMB: toMB(begun),
      peakMB: toMB(peak),
      growth: Number((((peak - begun) * 1024) / modelBytes).toFixed(2)),
      seconds: Math.round(seconds),
    };
  } finally {
    killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows: Row[] = [];
for (const learning of flags.learning.split(','))
  for (const clients of flags.clients.split(','))
    rows.push(await measure(learning, Number(clients), Number(flags.megabytes)));
const table = [
  '| learning | clients | model | after its start | peak | growth ÷ model |',
  '| --- | --- | --- | --- | --- | --- |',
  ...rows.map(
    (row) =>
      `| ${row.learning} | ${row.clients} | ${row.modelMB} MB | ${row.startMB} MB | ${row.peakMB} MB | ${row.growth} |`,
  ),
].join('\n');
if (flags.write) intoPage('docs/explanation/large-models.md', 'memory', table);
process.stdout.write(flags.json ? `${JSON.stringify({ rounds, rule: flags.rule, rows })}\n` : `${table}\n`);
// A gate for whoever runs it: the promise is at most twice the model.
if (rows.some(({ growth }) => growth > 2)) process.exitCode = 1;
