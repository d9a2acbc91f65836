import { cornerTrigger } from '../core/attacks/poison/backdoor.ts';
import { edgeCases } from '../core/attacks/poison/edge-case-backdoor.ts';
import { targetLabel } from '../core/attacks/poison/samples.ts';
import { type Dataset, featureCount, subset } from '../core/data/dataset.ts';
import { createWasmEngine } from '../core/learning/wasm/engine.ts';
import type { CellDefinition } from './cells.ts';

/**
 * The share of the test images of other classes that a backdoor aims at and that the model takes for its target: those
 * that carry the trigger, or the edge cases. Null where the attack is no backdoor. Without attackers: what chance gives.
 */
export async function attackSuccess(
  { plan, attack }: Pick<CellDefinition, 'plan' | 'attack'>,
  parameters: Float32Array,
  test: Dataset,
): Promise<number | null> {
  const aimedAt = aims[attack];
  if (aimedAt === undefined) return null;
  const { indexes, trigger } = aimedAt(test);
  const others = indexes.filter((i) => test.labels[i] !== targetLabel);
  const chosen = subset(test, others);
  const [width, lineLength] = [featureCount(test), test.sampleShape.at(-1)!];
  const features = Float32Array.from(chosen.features, (value) => value * chosen.scale);
  for (let i = 0; i < others.length; i++) {
    for (const [line, column] of trigger) features[i * width + line * lineLength + column] = 1;
  }
  const labels = new Int32Array(others.length).fill(targetLabel);
  const data = { ...chosen, features, labels, scale: 1 };
  return (await createWasmEngine().evaluate({ spec: plan.model, parameters, data })).accuracy;
}

type Aim = { readonly indexes: readonly number[]; readonly trigger: typeof cornerTrigger };

const triggered = (test: Dataset): Aim => ({ indexes: [...test.labels.keys()], trigger: cornerTrigger });

const aims: Readonly<Record<string, (test: Dataset) => Aim>> = {
  backdoor: triggered,
  'distributed-backdoor': triggered,
  'edge-case-backdoor': ({ features, labels, scale, sampleShape, classCount }) => {
    const values = Float32Array.from(features, (value) => value * scale);
    const width = values.length / labels.length;
    const samples = { features: values, labels, width, lineLength: sampleShape.at(-1) ?? 1, classCount };
    return { indexes: edgeCases(samples), trigger: [] };
  },
};
