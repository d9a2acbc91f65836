import { poisons } from '../core/attacks/poison/index.ts';
import { type Dataset, featureCount } from '../core/data/dataset.ts';

/** An attack on the attacker's own training data. */
export type PoisonId = keyof typeof poisons;

export const isPoison = (kind: string): kind is PoisonId => Object.hasOwn(poisons, kind);

/** A client's samples as the attack makes them; it then trains on them as always. */
export function poisonDataset(
  data: Dataset,
  poison: PoisonId,
  who: { readonly seed: number; readonly colluder: number },
): Dataset {
  const values = Float32Array.from(data.features, (value) => value * data.scale);
  const { features, labels } = poisons[poison](
    {
      features: values,
      labels: data.labels,
      width: featureCount(data),
      lineLength: data.sampleShape.at(-1) ?? 1,
      classCount: data.classCount,
    },
    who,
  );
  return { ...data, features, labels, scale: 1 };
}
