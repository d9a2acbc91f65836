import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBlobs } from '../../src/adapters/blobs-files.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createFileSpool } from '../../src/adapters/spool-files.ts';
import { takePart } from '../../src/client/agent.ts';
import type { PlanInput } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { openCutLine } from './cut-line.ts';
import { createHttpsWorld, tlsIdentity } from './https-world.ts';
import { crypto, deflate, smallPlan } from './world.ts';

const rounds = 2;

/** Weights that no compression makes smaller, and evaluations of nothing. */
function randomTrainer(): Trainer {
  const rng = createRng(7);
  return {
    async train({ parameters }) {
      const bits = new Uint32Array(parameters.length);
      // A sign, an exponent near one, and a mantissa at random.
      for (let i = 0; i < bits.length; i++) bits[i] = (rng.uint32() & 0x807fffff) | 0x3f000000;
      return { parameters: new Float32Array(bits.buffer), examples: 1 };
    },
    evaluate: async () => ({ examples: 1, lossSum: 1, correctCount: 1 }),
  };
}

/** A federation of one over a line that is cut ten times: the model that comes out is the one that was sent. */
export async function trainOverCutLine(modelBytes: number): Promise<{ readonly lines: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'qflare-large-'));
  const inputs = Math.round(modelBytes / 4 / 125);
  const clock = createSystemClock();
  const hasty = { ...clock, sleep: (ms: number) => clock.sleep(ms / 20) };
  const blobs = createFileBlobs(join(folder, 'blobs'));
  const input: Partial<PlanInput> = {
    model: { kind: 'softmax-regression', inputs, classes: 125 },
    rounds: { count: rounds },
    cohort: { expected: 1, quorum: 1, deadlineSeconds: 3600, absenceGraceSeconds: 3000, gatherSeconds: 3000 },
    aggregation: { pipeline: [{ rule: 'mean' }], codec: 'float32' },
  };
  const spool = createFileSpool(join(folder, 'spool'), { heldBytesMax: 1 << 20 });
  const world = await createHttpsWorld({ plan: smallPlan(input), parts: { clock, blobs, spool } });
  // Each round the model comes down twice (to train, to evaluate) less what the agent keeps, and goes up once.
  const line = await openCutLine(world.port, { everyBytes: Math.round((rounds * 2 * modelBytes) / 12), cutsMax: 10 });
  try {
    const { identity } = await world.enrolSite();
    const outcome = await takePart({
      identity,
      saveIdentity: async () => {},
      entropy: createNodeEntropy(),
      crypto,
      deflate,
      pin: tlsIdentity.pin,
      transport: world.transport(line.port),
      trainer: randomTrainer(),
      memory: createVolatileSiteMemory(),
      clock: hasty,
      patienceMs: 600_000,
      say: () => {},
    });
    assert.equal(outcome.contributions, 2 * rounds);
    assert.equal(line.cuts(), 10);
    const { models, run } = world.coordinator.snapshot();
    assert.equal(models.length, rounds + 1);
    assert.ok(run.records.every(({ status }) => status === 'completed'));
    const hash = createHash('sha256');
    let size = 0;
    for await (const part of (await world.coordinator.modelFile(models.at(-1)!.hash))!.read(0)) {
      hash.update(part);
      size += part.length;
    }
    assert.equal(hash.digest('hex'), models.at(-1)!.hash);
    assert.ok(size > modelBytes * 0.99);
    // Three models down (the first, and each round's), two up; what was sent again because of cuts is a chunk or so each.
    assert.ok(line.bytes() < 1.02 * 5 * modelBytes + (24 << 20), `${line.bytes()} bytes`);
    assert.deepEqual(await readdir(join(folder, 'blobs', 'arriving')), []);
    assert.deepEqual(await readdir(join(folder, 'spool')), []);
    const up = run.records.reduce((sum, record) => sum + record.bytesUp, 0);
    return { lines: `${line.cuts()} cuts, ${line.bytes()} bytes on the line, ${up} of them up` };
  } finally {
    await line.close();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
}
