import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/random/rng.ts';
import { mixNoise, noiseSourceOf } from '../../src/node/noise.ts';
import type { NoiseSource } from '../../src/ports/noise-source.ts';
import { createMemoryDisk, createWorld } from './world.ts';

const rng = createRng(5);
const description = { name: 'test', origin: 'simulated', minEntropyPerSample: 1, windowSize: 512 } as const;
const sourceOf = (sample: () => number): NoiseSource => ({
  description,
  read: async (count) => Uint8Array.from({ length: count }, sample),
});
const sleep = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms));

test('a source that is biased is cut off, told once and journaled; the system’s generator goes on without it', async () => {
  const { coordinator } = await createWorld({ disk: createMemoryDisk() });
  let told = 0;
  const mixed = mixNoise(
    sourceOf(() => (rng.float() < 0.98 ? 1 : 0)),
    ({ kind, detail }) => {
      told += 1;
      void coordinator.note(kind, { detail });
    },
    1,
  );
  for (let i = 0; i < 200 && mixed.state() !== 'cut-off'; i++) await sleep(2);
  await sleep(10);
  assert.equal(mixed.state(), 'cut-off');
  assert.equal(told, 1);
  const last = (await coordinator.journal(0)).findLast(({ entry }) => entry.kind === 'entropy.cut-off');
  assert.match(String(last?.entry.data['detail']), /test: (repetition-count|adaptive-proportion) \d+, cut-off \d+/);
  const [a, b] = [new Uint8Array(32), new Uint8Array(32)];
  mixed.entropy.fillBytes(a);
  mixed.entropy.fillBytes(b);
  assert.notDeepEqual(a, b);
  mixed.stop();
});

test('a healthy source stays; one that cannot be read is told once and tried again', async () => {
  const healthy = mixNoise(
    sourceOf(() => rng.below(2)),
    () => assert.fail('nothing to tell'),
    1,
  );
  for (let i = 0; i < 200 && healthy.state() !== 'healthy'; i++) await sleep(2);
  assert.equal(healthy.state(), 'healthy');
  healthy.stop();
  const told: string[] = [];
  const gone = mixNoise(noiseSourceOf('/nonexistent/qrng', 1), ({ kind }) => void told.push(kind), 1);
  await sleep(40);
  gone.stop();
  assert.deepEqual(told, ['entropy.unreachable']);
  assert.match(noiseSourceOf('https://qrng.example/{count}', 1).description.name, /^https/);
});

test("a public beacon is refused as a source, whatever its path: what it gives is everybody's", () => {
  for (const place of [
    'https://beacon.nist.gov/beacon/2.0/pulse/last',
    'https://api.drand.sh/public/latest',
    'https://drand.cloudflare.com/public/latest',
    'https://random.uchile.cl/beacon/2.1/pulse/last',
    'https://beacon.inmetro.gov.br/beacon/2.0/pulse/last',
  ])
    assert.throws(() => noiseSourceOf(place, 1), /must be secret: it is a public beacon/, place);
  for (const place of ['https://qrng.example.org/beacon/{count}', '/dev/hwrng', 'https://rack-beacon.example/{count}'])
    assert.equal(noiseSourceOf(place, 1).description.name, place);
});
