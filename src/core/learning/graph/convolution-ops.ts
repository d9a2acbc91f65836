import { reshape, sumOver, transpose } from './shape-ops.ts';
import { operation, refuse } from './value.ts';
import type { Value } from './value.ts';

const exchanged = [1, 0, 2, 3];

/**
 * A convolution (cross-correlation, as in PyTorch) with a border of zeros on every side and stride 1.
 *
 * Formula: y[b,o] = Σ_c x[b,c] ⋆ w[o,c] + bias[o]. dx is the transposed convolution of dy by w; dw[o,c] = Σ_b x[b,c] ⋆ dy[b,o],
 *          itself a convolution with batch and channels exchanged; dbias = Σ over batch and pixels of dy.
 * Shapes:  x [batch, inputs, height, width], w [outputs, inputs, k, k], bias [outputs].
 */
export function convolution(x: Value, w: Value, bias: Value, border: number): Value {
  const [batch, inputs, height, width] = x.shape as [number, number, number, number];
  const [outputs, weightInputs, kernelHeight, kernelWidth] = w.shape as [number, number, number, number];
  if (inputs !== weightInputs) refuse('a convolution', `the weights must have ${inputs} inputs`, w.shape);
  const shape = [batch, outputs, height + 2 * border - kernelHeight + 1, width + 2 * border - kernelWidth + 1];
  const attributes = { pads: { ints: [border, border, border, border] } };
  const backward = (dy: Value) => [
    operation('ConvTranspose', [dy, w], x.shape, { attributes }),
    weightGradient(x, dy, w.shape, border),
    reshape(sumOver(dy, [0, 2, 3]), bias.shape),
  ];
  return operation('Conv', [x, w, bias], shape, { attributes, backward });
}

function weightGradient(x: Value, dy: Value, shape: readonly number[], border: number): Value {
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  const attributes = { pads: { ints: [border, border, border, border] } };
  const operands = [transpose(x, exchanged), transpose(dy, exchanged)];
  return transpose(operation('Conv', operands, [inputs, outputs, height, width], { attributes }), exchanged);
}

/**
 * The largest value of each 2 × 2 window; the first of equals.
 *
 * Formula: the gradient goes to the place that the value came from.
 */
export function maxPool(x: Value): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  if (height % 2 !== 0 || width % 2 !== 0) refuse('a pooling', 'height and width must be even', x.shape);
  const attributes = { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } };
  const shape = [batch, channels, height / 2, width / 2];
  const y: Value = operation('MaxPool', [x], shape, {
    attributes,
    outputCount: 2,
    backward: (dy) => [operation('MaxUnpool', [dy, places], x.shape, { attributes })],
  });
  const places: Value = { node: y.node, port: 1, shape, type: 'int64' };
  return y;
}
