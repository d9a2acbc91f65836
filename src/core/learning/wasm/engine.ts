import type { Dataset } from '../../data/dataset.ts';
import { featureCount, sampleCount } from '../../data/dataset.ts';
import { checkJob, checkLoss, eachBatch } from '../engine.ts';
import type { EvaluateJob, Evaluation, TrainingEngine, TrainJob, TrainResult } from '../engine.ts';
import { classCountOf } from '../model-spec.ts';
import { convNetwork } from './conv-network.ts';
import { denseNetwork } from './dense-network.ts';
import { createNnMachine } from './kernels.ts';
import type { NnMachine } from './kernels.ts';
import { roundUp } from './layout.ts';
import type { Network } from './network.ts';

const evaluationRows = 128;

/**
 * The built-in engine: WebAssembly SIMD kernels, float32, one thread.
 *
 * Promises: bit-identical results on every machine (no relaxed SIMD, no library mathematics of the host).
 * Cost:     one memory per engine that grows to the largest job: make one per thread and use it again.
 */
export function createWasmEngine(): TrainingEngine {
  const machine = createNnMachine();
  return {
    name: 'wasm',
    train: async (job) => train(machine, job),
    evaluate: async (job) => evaluate(machine, job),
  };
}

function train(machine: NnMachine, job: TrainJob): TrainResult {
  checkJob(job);
  const { options, gradientCorrection } = job;
  const { momentum, learningRate, weightDecay, proximalMu = 0 } = options;
  const rowsMax = Math.min(options.batchSize, sampleCount(job.data));
  const stage = createStage(
    machine,
    job,
    rowsMax,
    3 + Number(proximalMu > 0) + Number(gradientCorrection !== undefined),
  );
  const { kernels, network, regions } = stage;
  const [w, gradient, velocity, ...extra] = regions as [number, number, number, ...number[]];
  const start = proximalMu > 0 ? extra.shift()! : 0;
  if (start > 0) stage.write(start, job.proximalAnchor ?? job.parameters);
  const correction = extra[0] ?? 0;
  if (gradientCorrection !== undefined) stage.write(correction, gradientCorrection);

  let steps = 0;
  let currentEpoch = 0;
  const seen = eachBatch(job, (indexes, epoch) => {
    if (epoch !== currentEpoch) stage.resetStatistics();
    currentEpoch = epoch;
    stage.forward(indexes);
    checkLoss(stage.lossSum(), steps++, options);
    network.backward(w, gradient, indexes.length);
    if (start > 0) kernels.addScaledDifference(gradient, w, start, network.floatCount, proximalMu);
    if (correction > 0) kernels.addInto(gradient, correction, network.floatCount);
    kernels.sgdStep(w, gradient, velocity, network.floatCount, learningRate, momentum, weightDecay);
  });

  const examples = sampleCount(job.data);
  const metrics = { loss: stage.lossSum() / seen, accuracy: stage.correctCount() / seen };
  return { parameters: stage.readParameters(), examples, steps, metrics };
}

function evaluate(machine: NnMachine, job: EvaluateJob): Evaluation {
  checkJob(job);
  const examples = sampleCount(job.data);
  const rowsMax = Math.min(evaluationRows, examples);
  const stage = createStage(machine, job, rowsMax, 1);
  const order = Uint32Array.from({ length: examples }, (_, i) => i);
  for (let i = 0; i < examples; i += rowsMax) stage.forward(order.subarray(i, i + rowsMax));
  const [lossSum, correctCount] = [stage.lossSum(), stage.correctCount()];
  return { loss: lossSum / examples, accuracy: correctCount / examples, examples, lossSum, correctCount };
}

/** Lays a job out in the machine's memory; the first parameter region holds the job's parameters. */
function createStage(machine: NnMachine, job: EvaluateJob, rowsMax: number, regionCount: number) {
  const { kernels } = machine;
  const { spec } = job;
  const network: Network = spec.kind === 'cnn' ? convNetwork(spec, kernels) : denseNetwork(spec, kernels);
  const rows = roundUp(rowsMax, 4);
  let end = roundUp(kernels.heapBase(), 64);
  const take = (floatCount: number) => {
    const at = end;
    end = roundUp(end + 4 * floatCount, 64);
    return at;
  };
  const statistics = take(4);
  const labels = take(rows);
  const staging = take(roundUp(rows * network.inputStride, 4) / 4);
  const regions = Array.from({ length: regionCount }, () => take(network.floatCount));
  const { input, logits } = network.allocate(take, rows);
  machine.reserve(end);

  const { buffer } = machine.memory;
  const statisticsView = new Float64Array(buffer, statistics, 2);
  const load = createLoader(machine, job.data, { input, labels, staging, stride: network.inputStride, rows });
  const write = (region: number, flat: Float32Array) =>
    network.pack(flat, new Float32Array(buffer, region, network.floatCount));
  const w = regions[0]!;
  const classes = classCountOf(spec);
  write(w, job.parameters);
  return {
    kernels,
    network,
    regions,
    write,
    readParameters(): Float32Array<ArrayBuffer> {
      const flat = new Float32Array(job.parameters.length);
      network.unpack(new Float32Array(buffer, w, network.floatCount), flat);
      return flat;
    },
    /** Runs a batch up to the loss; its gradient is then where the logits were. */
    forward(indexes: Uint32Array): void {
      const count = indexes.length;
      load(indexes);
      network.forward(w, count);
      const [padded, stride] = [roundUp(count, 4), network.logitStride];
      kernels.softmaxCrossEntropy(logits, labels, count, padded, classes, stride, 1 / count, statistics);
    },
    lossSum: () => statisticsView[0]!,
    correctCount: () => statisticsView[1]!,
    resetStatistics: () => void statisticsView.fill(0),
  };
}

type LoaderPlace = {
  readonly input: number;
  readonly labels: number;
  readonly staging: number;
  readonly stride: number;
  readonly rows: number;
};

/** Gathers the samples of a batch into the input rows; bytes become floats on the way. */
function createLoader(machine: NnMachine, data: Dataset, place: LoaderPlace): (indexes: Uint32Array) => void {
  const { buffer } = machine.memory;
  const { features, scale } = data;
  const { input, labels, staging, stride, rows } = place;
  const width = featureCount(data);
  const labelView = new Int32Array(buffer, labels, rows);
  const isBytes = features instanceof Uint8Array;
  const target = isBytes
    ? new Uint8Array(buffer, staging, rows * stride)
    : new Float32Array(buffer, input, rows * stride);
  return (indexes) => {
    for (let i = 0; i < indexes.length; i++) {
      const index = indexes[i]!;
      labelView[i] = data.labels[index]!;
      target.set(features.subarray(index * width, (index + 1) * width), i * stride);
    }
    const count = indexes.length * stride;
    if (isBytes) machine.kernels.bytesToFloats(staging, input, count, scale);
    else if (scale !== 1) machine.kernels.scaleInPlace(input, count, scale);
  };
}
