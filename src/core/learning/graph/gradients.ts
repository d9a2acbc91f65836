import { add } from './elementwise-ops.ts';
import { scalar } from './value.ts';
import { expand } from './shape-ops.ts';
import type { GraphNode, Value } from './value.ts';

/**
 * Reverse-mode differentiation: values that compute ∂loss/∂w for each w of `parameters`, as further nodes of the graph.
 *
 * Formula:  v̄ = Σ over the uses u of v of (∂u/∂v)ᵀ ū, from the loss (whose own is 1) backwards, each node once.
 * Shapes:   the gradient of w has the shape of w; a loss with more than one element counts as its sum.
 * Needs:    the loss depends on every parameter.  Throws RangeError when it does not, or an operation has no gradient.
 * Promises: nothing before the parameters is visited, so that they may themselves be results (of an earlier step).
 * Cost:     at most a few times the operations of the forward pass.
 * Source:   Griewank and Walther 2008, Evaluating Derivatives, chapter 3.
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  const leaves = new Set(parameters);
  const order = nodesBetween(loss, leaves);
  const isOnPath = new Set([...order, ...parameters]);
  const slopes = new Map<Value, Value>([[loss, expand(scalar(1), loss.shape)]]);
  for (const output of order.toReversed()) {
    const dy = slopes.get(output);
    if (dy === undefined) continue;
    const { node } = output;
    if (node.backward === null) {
      throw new RangeError(
        `Cannot differentiate as each operation must have a gradient: current value is ${node.operator}`,
      );
    }
    for (const [i, slope] of node.backward(dy).entries()) {
      const target = node.inputs[i]!;
      if (slope === null || !isOnPath.has(target)) continue;
      const known = slopes.get(target);
      slopes.set(target, known === undefined ? slope : add(known, slope));
    }
  }
  return parameters.map((parameter, i) => {
    const slope = slopes.get(parameter);
    if (slope !== undefined) return slope;
    throw new RangeError(`Cannot differentiate as the loss must depend on every parameter: current value is ${i}`);
  });
}

/** Results from the parameters to the loss on which both depend, inputs before outputs; the parameters themselves not. */
function nodesBetween(loss: Value, leaves: ReadonlySet<Value>): Value[] {
  const order: Value[] = [];
  const isOnPath = new Map<GraphNode, boolean>();
  const visit = (value: Value): boolean => {
    if (leaves.has(value)) return true;
    const known = isOnPath.get(value.node);
    if (known !== undefined) return known;
    const found = value.node.inputs.map(visit).some(Boolean);
    isOnPath.set(value.node, found);
    if (found) order.push(value);
    return found;
  };
  visit(loss);
  return order;
}
