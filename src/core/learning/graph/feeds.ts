import type { GraphArray, GraphTensor } from '../../../ports/graph-runtime.ts';
import type { Dataset } from '../../data/dataset.ts';
import { featureCount } from '../../data/dataset.ts';
import { elementCount } from '../../model/manifest.ts';
import type { ModelSpec } from '../model-spec.ts';
import { manifestOf } from '../model-spec.ts';
import type { FeatureType } from './training-graph.ts';

const number = (value: number): GraphTensor => ({ data: Float32Array.of(value), shape: [] });

export const featureType = ({ features }: Dataset): FeatureType =>
  features instanceof Uint8Array ? 'uint8' : 'float32';

export const scaleOf = (data: Dataset): Record<string, GraphTensor> =>
  featureType(data) === 'uint8' ? { scale: number(data.scale) } : {};

/** Views of a flat vector, one by tensor of the model. */
export function tensors(spec: ModelSpec, prefix: string, flat: Float32Array): Record<string, GraphTensor> {
  let offset = 0;
  return Object.fromEntries(
    manifestOf(spec).map((each) => {
      const data = flat.subarray(offset, (offset += elementCount(each)));
      return [prefix + each.name, { data, shape: each.shape }];
    }),
  );
}

/** The samples of a batch; rows beyond them keep what they held, finite. */
export function createBatch(data: Dataset, rows: number): { tensor: GraphTensor; load(indexes: Uint32Array): void } {
  const width = featureCount(data);
  const { features, scale } = data;
  const isBytes = features instanceof Uint8Array;
  const target: GraphArray = isBytes ? new Uint8Array(rows * width) : new Float32Array(rows * width);
  return {
    tensor: { data: target, shape: [rows, width] },
    load(indexes) {
      for (const [row, index] of indexes.entries()) {
        target.set(features.subarray(index * width, (index + 1) * width), row * width);
      }
      if (isBytes || scale === 1) return;
      for (let i = 0; i < indexes.length * width; i++) target[i]! *= scale;
    },
  };
}
