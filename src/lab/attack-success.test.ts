import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDataset } from '../core/data/dataset.ts';
import { parsePlan } from '../core/plan/plan.ts';
import { attackSuccess } from './attack-success.ts';

const plan = parsePlan({ model: { kind: 'softmax-regression', inputs: 784, classes: 2 } });
/** Twenty dark images; of those of class 1 one is all bright, one is bright in its upper left. */
const images = createDataset({
  features: new Uint8Array(20 * 784).fill(255, 0, 784).fill(255, 784, 784 + 300),
  labels: Int32Array.from({ length: 20 }, (_, i) => (i < 12 ? 1 : 0)),
  scale: 1 / 255,
  sampleShape: [28, 28],
  classCount: 2,
});
/** Says class 0 (the target) where this pixel is bright, class 1 elsewhere. */
function modelThatSees(line: number, column: number): Float32Array {
  const parameters = new Float32Array(2 * 784 + 2);
  parameters[line * 28 + column] = 10;
  parameters[2 * 784 + 1] = 5;
  return parameters;
}
const success = (
  attack: 'backdoor' | 'distributed-backdoor' | 'edge-case-backdoor' | 'none',
  parameters: Float32Array,
) => attackSuccess({ plan, attack }, parameters, images);

test('a pixel trigger is stamped on every image of another class, for a distributed backdoor all of it', async () => {
  for (const attack of ['backdoor', 'distributed-backdoor'] as const) {
    assert.equal(await success(attack, modelThatSees(24, 26)), 1);
    // A pixel beside the trigger: only the bright image is taken for the target.
    assert.equal(await success(attack, modelThatSees(23, 23)), 1 / 12);
  }
});

test('an edge-case backdoor is tried on the tenth of the test images least like their class, with no trigger', async () => {
  assert.equal(await success('edge-case-backdoor', modelThatSees(24, 26)), 1 / 2);
  assert.equal(await success('edge-case-backdoor', modelThatSees(0, 0)), 1);
});

test('an attack that is no backdoor has no success of that kind', async () => {
  assert.equal(await success('none', modelThatSees(24, 26)), null);
});
