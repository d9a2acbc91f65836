import { z } from 'zod';
import { parameterCount, tensor } from '../model/manifest.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Rng } from '../random/rng.ts';

const widthSchema = z.int().min(1).max(1_000_000);

/** A convolution is 5 × 5 and keeps the size; each is followed by ReLU and 2 × 2 max-pooling. */
export const kernelSize = 5;

const cnnSchema = z
  .strictObject({
    kind: z.literal('cnn'),
    height: z.int().min(2).max(1024),
    width: z.int().min(2).max(1024),
    inputChannels: z.int().min(1).max(64).default(1),
    channels: z.array(z.int().min(1).max(1024)).min(1).max(8).describe('channels of each convolution: [16, 32]'),
    classes: widthSchema.min(2),
  })
  .refine(({ height, width, channels }) => [height, width].every((size) => size % 2 ** channels.length === 0), {
    path: ['channels'],
    message: 'each convolution halves height and width, which must stay whole',
  });

/**
 * A model that the built-in engines can train, with a softmax cross-entropy loss at its end. Dense layers are
 * y = x·Wᵀ + b as in PyTorch's `Linear`, with ReLU between them.
 */
export const modelSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('softmax-regression'),
    inputs: widthSchema.describe('values of one sample'),
    classes: widthSchema.min(2),
  }),
  z.strictObject({
    kind: z.literal('mlp'),
    layers: z.array(widthSchema).min(2).max(64).describe('widths from the inputs to the classes: [784, 128, 10]'),
  }),
  cnnSchema,
]);

export type ModelSpec = z.infer<typeof modelSpecSchema>;
export type CnnSpec = Extract<ModelSpec, { kind: 'cnn' }>;
export type DenseSpec = Exclude<ModelSpec, CnnSpec>;

/** The widths of a dense model from inputs to classes: a softmax regression is an MLP without hidden layers. */
export function denseWidths(spec: DenseSpec): readonly number[] {
  return spec.kind === 'mlp' ? spec.layers : [spec.inputs, spec.classes];
}

/** One convolution of a CNN: what goes in, and how many channels come out at half the height and width. */
export type ConvShape = {
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
};

/** The convolutions of a CNN in order. */
export function convShapes(spec: CnnSpec): readonly ConvShape[] {
  return spec.channels.map((outputs, i) => ({
    height: spec.height >> i,
    width: spec.width >> i,
    inputs: i === 0 ? spec.inputChannels : spec.channels[i - 1]!,
    outputs,
  }));
}

/** The number of values that a CNN's dense layer reads: channels × height × width after the last pooling. */
export function flattenedCount(spec: CnnSpec): number {
  const { height, width, outputs } = convShapes(spec).at(-1)!;
  return (outputs * height * width) / 4;
}

/** The number of classes that a model tells apart. */
export function classCountOf(spec: ModelSpec): number {
  return spec.kind === 'cnn' ? spec.classes : denseWidths(spec).at(-1)!;
}

/** The number of values of a sample that a model reads. */
export function inputCountOf(spec: ModelSpec): number {
  return spec.kind === 'cnn' ? spec.inputChannels * spec.height * spec.width : denseWidths(spec)[0]!;
}

/** The weights of a model in order, as [outputs, …what feeds one output]; a bias [outputs] follows each. */
function weightShapes(spec: ModelSpec): readonly { name: string; shape: readonly number[] }[] {
  if (spec.kind === 'cnn') {
    return [
      ...convShapes(spec).map(({ inputs, outputs }, i) => ({
        name: `conv.${i}`,
        shape: [outputs, inputs, kernelSize, kernelSize],
      })),
      { name: 'dense', shape: [spec.classes, flattenedCount(spec)] },
    ];
  }
  const widths = denseWidths(spec);
  return widths.slice(1).map((outputs, i) => ({ name: `layers.${i}`, shape: [outputs, widths[i]!] }));
}

/**
 * The tensors of a model, named and shaped as a PyTorch module has them: `layers.0.weight` [outputs, inputs] and
 * `layers.0.bias` [outputs] in a `ModuleList`; a CNN has `conv.0.weight` [outputs, inputs, 5, 5], …, `dense.weight`.
 * Those that are called `local` stay on the client.
 */
export function manifestOf(spec: ModelSpec, local: readonly string[] = []): Manifest {
  return weightShapes(spec)
    .flatMap(({ name, shape }) => [tensor(`${name}.weight`, ...shape), tensor(`${name}.bias`, shape[0]!)])
    .map((each) => (local.includes(each.name) ? { ...each, aggregate: false } : each));
}

/**
 * Parameters to start from.
 *
 * Formula: weights before a ReLU ~ N(0, 2 ÷ inputs) (He); the last layer's ~ N(0, 2 ÷ (inputs + outputs)) (Glorot);
 *          biases 0. A softmax regression starts at 0: its loss is convex.
 * Source:  He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010, AISTATS.
 */
export function initialParameters(spec: ModelSpec, rng: Rng): Float32Array<ArrayBuffer> {
  const parameters = new Float32Array(parameterCount(manifestOf(spec)));
  if (spec.kind === 'softmax-regression') return parameters;
  const shapes = weightShapes(spec);
  let offset = 0;
  for (const [i, { shape }] of shapes.entries()) {
    const [outputs, ...rest] = shape as [number, ...number[]];
    const inputs = rest.reduce((product, size) => product * size, 1);
    const isLast = i + 1 === shapes.length;
    const sigma = Math.sqrt(isLast ? 2 / (inputs + outputs) : 2 / inputs);
    const stream = rng.child('layer', i);
    for (let j = 0; j < inputs * outputs; j++) parameters[offset + j] = sigma * stream.gaussian();
    offset += inputs * outputs + outputs;
  }
  return parameters;
}
