// What a rule keeps of clients is stored beside the model and named in its file; nobody who asks for it gets it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModels } from '../../src/coordinator/models.ts';
import { createMemoryDisk, partsOf, smallPlan } from './world.ts';
import { createVirtualClock } from './virtual-clock.ts';

test('the memory of a rule comes back with the state, and is no file that a client can fetch', async () => {
  const plan = smallPlan();
  const models = createModels(partsOf(plan, createMemoryDisk(), createVirtualClock()));
  const first = await models.writeInitial();
  const parameters = await models.parameters(first.hash);
  const place = { version: 1, parentHash: first.hash, round: 1 };
  const memory = { 'client/a': Float32Array.of(1, -2, 3) };
  const row = await models.write(parameters, place, { memory, control: { control: Float32Array.of(4) } });
  assert.deepEqual((await models.state(row)).memory, memory);
  assert.deepEqual(await models.memory(row.hash), memory);
  assert.deepEqual(await models.memory(first.hash), {});
  const run = [first, row];
  const hashes = await models.companionHashes(row.hash);
  assert.equal(await models.published(hashes.memory!, run), undefined);
  assert.notEqual(await models.published(hashes.control!, run), undefined);
  assert.notEqual(await models.published(row.hash, run), undefined);
});
