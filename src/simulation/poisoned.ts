import { poisons } from '../core/attacks/poison/index.ts';
import { type Dataset, featureCount } from '../core/data/dataset.ts';

export type PoisonId = keyof typeof poisons;

/** A site's data as a hostile site would have it. Lab and demo only. */
export function poisoned(
  data: Dataset,
  poison: PoisonId,
  who: { readonly seed: number; readonly colluder: number },
): Dataset {
  const samples = {
    features: Float32Array.from(data.features, (value) => value * data.scale),
    labels: data.labels,
    width: featureCount(data),
    lineLength: data.sampleShape[1] ?? featureCount(data),
    classCount: data.classCount,
  };
  const { features, labels } = poisons[poison](samples, who);
  return { ...data, features, labels, scale: 1 };
}
