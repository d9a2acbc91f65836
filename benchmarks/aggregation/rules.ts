import type { Pipeline } from '../../src/core/aggregation/pipeline.ts';
import type { Part } from './numpy.ts';

/** A rule that is measured: its passes over the rows, and the parts it is made of in numpy, where it has a peer there. */
export type MeasuredRule = {
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly passes: number;
  /** As numpy allows at best, and as Flower does it; rules that Flower lacks are built from its distances and its average. */
  readonly numpy: readonly Part[];
  readonly flower: readonly Part[];
  /** Reads all distances: the native matrix product takes part. */
  readonly isGram: boolean;
};

/** Rules with work of the order n³ outside of the kernels are left out for many rows. */
const cubicRowsMax = 200;

export function measuredRules(n: number): MeasuredRule[] {
  const f = Math.floor(n / 5);
  const g = Math.min(f, Math.floor((n - 3) / 4));
  const plain = (name: string, pipeline: Pipeline, passes: number, numpy: Part[] = [], flower: Part[] = []) => {
    return { name, pipeline, passes, numpy, flower, isGram: false };
  };
  const gram = (name: string, pipeline: Pipeline, average: Part[] = ['mean'], flowers: Part[] = ['flowerMean']) => {
    const [numpy, flower]: Part[][] = [
      ['product', ...average],
      ['loop', ...flowers],
    ];
    return { name, pipeline, passes: average.length + 1, numpy: numpy!, flower: flower!, isGram: true };
  };
  // Three stops: by readings, or with fewer rows by products.
  const walk = (name: string, pipeline: Pipeline): MeasuredRule => {
    return { ...gram(name, pipeline), passes: n >= 48 ? 4 : 2 };
  };
  const cubic = [
    {
      ...gram('nnm → trimmed-mean', [
        { rule: 'nnm', f },
        { rule: 'trimmed-mean', f },
      ]),
      numpy: [],
      flower: [],
    },
    { ...gram('dnc', [{ rule: 'dnc', f }]), numpy: [], flower: [] },
    { ...gram('bulyan', [{ rule: 'bulyan', f: g }]), numpy: [], flower: [] },
  ];
  return [
    plain('mean', [{ rule: 'mean' }], 1, ['mean'], ['flowerMean']),
    plain('clipping → mean', [{ rule: 'clipping', radius: 100 }, { rule: 'mean' }], 2, ['norms', 'mean']),
    plain('centered-clipping', [{ rule: 'centered-clipping', radius: 100 }], 2, ['norms', 'mean']),
    plain('median', [{ rule: 'median' }], 1, ['median'], ['flowerMedian']),
    plain('trimmed-mean', [{ rule: 'trimmed-mean', f }], 1, ['trimmedMean'], ['flowerTrimmedMean']),
    plain('mean-around-median', [{ rule: 'mean-around-median', f }], 1),
    plain('sign-majority', [{ rule: 'sign-majority' }], 1),
    gram('krum', [{ rule: 'krum', f }], [], []),
    gram('multi-krum', [{ rule: 'multi-krum', f }], ['mean'], ['flowerKept']),
    walk('geometric-median', [{ rule: 'geometric-median' }]),
    walk('centered-clipping × 3', [{ rule: 'centered-clipping', radius: 100, iterations: 3 }]),
    gram('nnm → mean', [{ rule: 'nnm', f }, { rule: 'mean' }]),
    ...(n <= cubicRowsMax ? cubic : []),
  ];
}
