import type { GraphRuntime, GraphSession, GraphTensor } from '../../../ports/graph-runtime.ts';
import { sampleCount } from '../../data/dataset.ts';
import { checkJob, checkLoss, eachBatch } from '../engine.ts';
import type { EvaluateJob, Evaluation, TrainingEngine, TrainJob, TrainResult } from '../engine.ts';
import { classCountOf } from '../model-spec.ts';
import { createBatch, featureType, scaleOf, tensors } from './feeds.ts';
import { createScore } from './score.ts';
import type { NamedGraph } from './onnx.ts';
import { toOnnx } from './onnx.ts';
import type { TrainingShape } from './training-graph.ts';
import { evaluationGraph, trainingGraph } from './training-graph.ts';

const evaluationRows = 128;
/** Steps in one call of a dense model: fewer calls, and the weights leave the runtime less often. */
const stepsPerCall = 16;

type Sessions = (key: unknown, make: () => NamedGraph) => Promise<GraphSession>;

/**
 * Trains on graphs that hold forward pass, backward pass and update, run by an ONNX runtime.
 *
 * Promises: the same job gives the same bits on the same machine and runtime.
 * Differs:  from the built-in engine by float32 rounding, and between kinds of processors.
 * Cost:     one compiled graph by model, batch size and kind of update, kept for the next job.
 */
export function createGraphEngine(runtime: GraphRuntime): TrainingEngine {
  const known = new Map<string, Promise<GraphSession>>();
  const sessions: Sessions = (key, make) => {
    const text = JSON.stringify(key);
    const session = known.get(text) ?? runtime.load(toOnnx(make()));
    known.set(text, session);
    return session;
  };
  return {
    name: runtime.name,
    train: (job) => train(job, sessions),
    evaluate: (job) => evaluate(job, sessions),
  };
}

async function train(job: TrainJob, sessions: Sessions): Promise<TrainResult> {
  checkJob(job);
  const batches: { indexes: Uint32Array; epoch: number }[] = [];
  eachBatch(job, (indexes, epoch) => void batches.push({ indexes: indexes.slice(), epoch }));
  const state = createState(job);
  const score = createScore(classCountOf(job.spec));
  const callOf = createCalls(job, state, sessions);
  let [step, scored] = [0, 0];
  while (step < batches.length) {
    const call = await callOf(batches.length - step);
    const part = batches.slice(step, step + call.steps);
    for (const [slot, { indexes }] of part.entries()) call.load(slot, indexes);
    await call.run();
    for (const [slot, { indexes, epoch }] of part.entries()) {
      if (epoch !== scored) score.reset();
      scored = epoch;
      score.add(call.logits[slot]!, job.data.labels, indexes);
      checkLoss(score.lossSum(), step++, job.options);
    }
  }
  const examples = sampleCount(job.data);
  const metrics = { loss: score.lossSum() / examples, accuracy: score.correctCount() / examples };
  return { parameters: state.current().weights, examples, steps: step, metrics };
}

async function evaluate(job: EvaluateJob, sessions: Sessions): Promise<Evaluation> {
  checkJob(job);
  const { spec, data } = job;
  const examples = sampleCount(data);
  const rows = Math.min(evaluationRows, examples);
  const shape = { spec, rows, features: featureType(data) };
  const session = await sessions(['evaluate', shape], () => evaluationGraph(shape));
  const logits = new Float32Array(rows * classCountOf(spec));
  const batch = createBatch(data, rows);
  const run = session.bind(
    { ...tensors(spec, '', job.parameters), 'x.0': batch.tensor, ...scaleOf(data) },
    { 'logits.0': { data: logits, shape: [rows, classCountOf(spec)] } },
  );
  const score = createScore(classCountOf(spec));
  for (let start = 0; start < examples; start += rows) {
    const indexes = Uint32Array.from({ length: Math.min(rows, examples - start) }, (_, i) => start + i);
    batch.load(indexes);
    await run();
    score.add(logits, data.labels, indexes);
  }
  const [lossSum, correctCount] = [score.lossSum(), score.correctCount()];
  return { loss: lossSum / examples, accuracy: correctCount / examples, examples, lossSum, correctCount };
}

type Weights = { readonly weights: Float32Array<ArrayBuffer>; readonly moves: Float32Array<ArrayBuffer> };

/** Two copies of what training changes: a call reads one and writes the other. */
function createState({ parameters }: TrainJob) {
  const make = (): Weights => ({
    weights: Float32Array.from(parameters),
    moves: new Float32Array(parameters.length),
  });
  const pair = [make(), make()] as const;
  let index: 0 | 1 = 0;
  return {
    pair,
    current: () => pair[index],
    turn: (): 0 | 1 => {
      const from = index;
      index = index === 0 ? 1 : 0;
      return from;
    },
  };
}

type Call = {
  readonly steps: number;
  readonly logits: readonly Float32Array[];
  load(slot: number, indexes: Uint32Array): void;
  run(): Promise<void>;
};

/** Calls of many steps while there are so many left, then of one. */
function createCalls(job: TrainJob, state: ReturnType<typeof createState>, sessions: Sessions) {
  const calls = new Map<number, Promise<Call>>();
  const most = job.spec.kind === 'cnn' ? 1 : stepsPerCall;
  return (left: number): Promise<Call> => {
    const steps = left >= most ? most : 1;
    const call = calls.get(steps) ?? createCall(job, steps, state, sessions);
    calls.set(steps, call);
    return call;
  };
}

async function createCall(
  job: TrainJob,
  steps: number,
  state: ReturnType<typeof createState>,
  sessions: Sessions,
): Promise<Call> {
  const { spec, data, options } = job;
  const shape = shapeOf(job, steps);
  const { rows } = shape;
  const classes = classCountOf(spec);
  const session = await sessions(['train', shape], () => trainingGraph(shape));
  const slots = Array.from({ length: steps }, () => ({
    batch: createBatch(data, rows),
    targets: new Float32Array(rows * classes),
    logits: new Float32Array(rows * classes),
  }));
  const matrix = (values: Float32Array): GraphTensor => ({ data: values, shape: [rows, classes] });
  const named = (name: string, get: (slot: (typeof slots)[number]) => GraphTensor) =>
    Object.fromEntries(slots.map((slot, s) => [`${name}.${s}`, get(slot)]));
  const fixed = {
    ...named('x', ({ batch }) => batch.tensor),
    ...named('target', ({ targets }) => matrix(targets)),
    ...scaleOf(data),
    ...(shape.hasShift ? tensors(spec, 'shift/', shiftOf(job)) : {}),
  };
  const logits = named('logits', (slot) => matrix(slot.logits));
  const moves = (prefix: string, { moves: flat }: Weights) => (shape.momentum > 0 ? tensors(spec, prefix, flat) : {});
  const bindTo = (from: Weights, to: Weights) =>
    session.bind(
      { ...tensors(spec, '', from.weights), ...moves('move/', from), ...fixed },
      { ...tensors(spec, 'next/', to.weights), ...moves('nextMove/', to), ...logits },
    );
  const [first, second] = state.pair;
  const runs = [bindTo(first, second), bindTo(second, first)] as const;
  return {
    steps,
    logits: slots.map((slot) => slot.logits),
    load(slot, indexes) {
      const { batch, targets } = slots[slot]!;
      batch.load(indexes);
      targets.fill(0);
      for (const [row, index] of indexes.entries()) {
        targets[row * classes + data.labels[index]!] = -options.learningRate / indexes.length;
      }
    },
    run: () => runs[state.turn()](),
  };
}

function shapeOf({ spec, data, options, gradientCorrection }: TrainJob, steps: number): TrainingShape {
  const { batchSize, learningRate, momentum, weightDecay, proximalMu = 0 } = options;
  return {
    spec,
    rows: Math.min(batchSize, sampleCount(data)),
    steps,
    features: featureType(data),
    momentum,
    pull: learningRate * (weightDecay + proximalMu),
    hasShift: proximalMu > 0 || gradientCorrection !== undefined,
  };
}

/** What is added to every gradient, times the learning rate: it does not change over a job. */
function shiftOf({ parameters, options, proximalAnchor, gradientCorrection }: TrainJob): Float32Array {
  const anchor = proximalAnchor ?? parameters;
  const { learningRate, proximalMu = 0 } = options;
  return anchor.map((value, i) => learningRate * ((gradientCorrection?.[i] ?? 0) - proximalMu * value));
}
