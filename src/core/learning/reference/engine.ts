import { exp, log } from '../../numerics/portable.ts';
import type { Dataset } from '../../data/dataset.ts';
import { featureCount, sampleCount } from '../../data/dataset.ts';
import { checkJob, checkLoss, eachBatch } from '../engine.ts';
import type { EvaluateJob, TrainingEngine, TrainJob } from '../engine.ts';
import type { ModelSpec } from '../model-spec.ts';
import { convShapes, denseWidths, flattenedCount } from '../model-spec.ts';
import { convolution, maxPool } from './conv-layers.ts';
import { dense, relu } from './layers.ts';
import type { Layer } from './layers.ts';

/** What a batch gives: sums over its samples. */
export type BatchSums = { readonly gradient: Float64Array; readonly lossSum: number; readonly correctCount: number };

/**
 * The plain TypeScript engine: float64, one sample at a time, no blocking. It is what the fast engines are tested
 * against; it is some fifty times slower.
 */
export const referenceEngine: TrainingEngine = {
  name: 'reference',
  train: async (job) => {
    checkJob(job);
    const w = Float64Array.from(job.parameters);
    const start = Float64Array.from(job.proximalAnchor ?? job.parameters);
    const velocity = new Float64Array(w.length);
    let steps = 0;
    let sums = { epoch: 0, loss: 0, correct: 0 };
    eachBatch(job, (indexes, epoch) => {
      const batch = batchGradient(job.spec, w, job.data, indexes);
      if (epoch !== sums.epoch) sums = { epoch, loss: 0, correct: 0 };
      sums.loss += batch.lossSum;
      sums.correct += batch.correctCount;
      checkLoss(batch.lossSum, steps++, job.options);
      sgdStep(job, { w, start, velocity, gradient: batch.gradient, count: indexes.length });
    });
    const examples = sampleCount(job.data);
    return {
      parameters: Float32Array.from(w),
      examples,
      steps,
      metrics: { loss: sums.loss / examples, accuracy: sums.correct / examples },
    };
  },
  evaluate: async (job) => {
    checkJob(job);
    return evaluation(job);
  },
};

function evaluation({ spec, parameters, data }: EvaluateJob) {
  const layers = layersOf(spec);
  const w = Float64Array.from(parameters);
  const examples = sampleCount(data);
  let lossSum = 0;
  let correctCount = 0;
  for (let i = 0; i < examples; i++) {
    const { loss, isCorrect } = crossEntropy(forward(layers, w, sampleAt(data, i)).at(-1)!, data.labels[i]!);
    lossSum += loss;
    correctCount += Number(isCorrect);
  }
  return { loss: lossSum / examples, accuracy: correctCount / examples, examples, lossSum, correctCount };
}

/** The summed gradient of the loss over a batch, by the chain rule. */
export function batchGradient(spec: ModelSpec, w: Float64Array, data: Dataset, indexes: ArrayLike<number>): BatchSums {
  const layers = layersOf(spec);
  const gradient = new Float64Array(w.length);
  let lossSum = 0;
  let correctCount = 0;
  for (const index of Array.from(indexes)) {
    const activations = forward(layers, w, sampleAt(data, index));
    const { loss, isCorrect, slope } = crossEntropy(activations.at(-1)!, data.labels[index]!);
    lossSum += loss;
    correctCount += Number(isCorrect);
    backward(layers, { w, gradient, activations, slope });
  }
  return { gradient, lossSum, correctCount };
}

function layersOf(spec: ModelSpec): Layer[] {
  if (spec.kind === 'cnn') {
    const blocks = convShapes(spec).flatMap((shape) => [convolution(shape), relu(), maxPool(shape)]);
    return [...blocks, dense(flattenedCount(spec), spec.classes)];
  }
  const widths = denseWidths(spec);
  return widths.slice(1).flatMap((outputs, i) => [...(i === 0 ? [] : [relu()]), dense(widths[i]!, outputs)]);
}

function sampleAt(data: Dataset, index: number): Float64Array {
  const width = featureCount(data);
  return Float64Array.from({ length: width }, (_, i) => data.features[index * width + i]! * data.scale);
}

function forward(layers: readonly Layer[], w: Float64Array, x: Float64Array): Float64Array[] {
  const activations = [x];
  let offset = 0;
  for (const layer of layers) {
    const slice = w.subarray(offset, (offset += layer.parameterCount));
    activations.push(layer.forward(slice, activations.at(-1)!));
  }
  return activations;
}

type Backward = {
  readonly w: Float64Array;
  readonly gradient: Float64Array;
  readonly activations: readonly Float64Array[];
  readonly slope: Float64Array;
};

function backward(layers: readonly Layer[], { w, gradient, activations, slope }: Backward): void {
  let end = w.length;
  let dy = slope;
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l]!;
    const start = end - layer.parameterCount;
    const at = { x: activations[l]!, y: activations[l + 1]!, dy };
    dy = layer.backward(w.subarray(start, end), gradient.subarray(start, end), at);
    end = start;
  }
}

function crossEntropy(logits: Float64Array, label: number) {
  const top = logits.reduce((max, value) => Math.max(max, value), -Infinity);
  const exps = logits.map((value) => exp(value - top));
  const total = exps.reduce((sum, value) => sum + value, 0);
  return {
    loss: log(total) - (logits[label]! - top),
    isCorrect: logits.indexOf(top) === label,
    slope: exps.map((value, j) => value / total - Number(j === label)),
  };
}

type Step = {
  readonly w: Float64Array;
  readonly start: Float64Array;
  readonly velocity: Float64Array;
  readonly gradient: Float64Array;
  readonly count: number;
};

function sgdStep({ options, gradientCorrection }: TrainJob, { w, start, velocity, gradient, count }: Step): void {
  const { learningRate, momentum, weightDecay, proximalMu = 0 } = options;
  for (let i = 0; i < w.length; i++) {
    const slope =
      gradient[i]! / count +
      weightDecay * w[i]! +
      proximalMu * (w[i]! - start[i]!) +
      (gradientCorrection === undefined ? 0 : gradientCorrection[i]!);
    velocity[i] = momentum * velocity[i]! + slope;
    w[i]! -= learningRate * velocity[i]!;
  }
}
