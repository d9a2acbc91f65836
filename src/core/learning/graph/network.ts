import type { ModelSpec } from '../model-spec.ts';
import { convShapes, denseWidths, flattenedCount, kernelSize } from '../model-spec.ts';
import { relu } from './elementwise-ops.ts';
import { convolution, maxPool } from './convolution-ops.ts';
import { product } from './matrix-ops.ts';
import { reshape } from './shape-ops.ts';
import type { Value } from './value.ts';

/**
 * A built-in model as a graph: from samples [rows, inputs] to logits [rows, classes]. `parameters` are the tensors of
 * `manifestOf(spec)` in order.
 */
export function logitsOf(spec: ModelSpec, parameters: readonly Value[], samples: Value): Value {
  if (spec.kind !== 'cnn') return denseLogits(parameters, samples, denseWidths(spec).length - 1);
  const rows = samples.shape[0]!;
  const shapes = convShapes(spec);
  let x = reshape(samples, [rows, spec.inputChannels, spec.height, spec.width]);
  for (const layer of shapes.keys()) {
    const [w, bias] = [parameters[2 * layer]!, parameters[2 * layer + 1]!];
    x = maxPool(relu(convolution(x, w, bias, (kernelSize - 1) / 2)));
  }
  return denseLogits(parameters.slice(2 * shapes.length), reshape(x, [rows, flattenedCount(spec)]), 1);
}

/**
 * Dense layers with ReLU between them. Hidden activations are kept as [width, rows]: the large weights are then the left
 * operand of every product, and the runtime packs the small right one.
 */
function denseLogits(parameters: readonly Value[], samples: Value, layers: number): Value {
  let [x, isUpright] = [samples, true];
  for (let layer = 0; layer + 1 < layers; layer++) {
    const [w, bias] = [parameters[2 * layer]!, parameters[2 * layer + 1]!];
    const column = reshape(bias, [bias.shape[0]!, 1]);
    [x, isUpright] = [relu(product(w, x, { transposeB: isUpright, plus: column })), false];
  }
  const [w, bias] = [parameters[2 * layers - 2]!, parameters[2 * layers - 1]!];
  return product(x, w, { transposeA: !isUpright, transposeB: true, plus: bias });
}
