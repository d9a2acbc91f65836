import { broadcastShape, sumOver, sumTo } from './shape-ops.ts';
import { elementCodes, operation, scalar } from './value.ts';
import type { ElementType, Value } from './value.ts';

export function add(a: Value, b: Value): Value {
  const backward = (dy: Value) => [sumTo(dy, a.shape), sumTo(dy, b.shape)];
  return operation('Add', [a, b], broadcastShape(a, b), { backward });
}

export function subtract(a: Value, b: Value): Value {
  const backward = (dy: Value) => [sumTo(dy, a.shape), sumTo(multiply(dy, scalar(-1)), b.shape)];
  return operation('Sub', [a, b], broadcastShape(a, b), { backward });
}

/** a · b by element. A product with ones is the other factor: so the gradient of a sum costs nothing. */
export function multiply(a: Value, b: Value): Value {
  const shape = broadcastShape(a, b);
  if (isOnes(a) && `${shape}` === `${b.shape}`) return b;
  if (isOnes(b) && `${shape}` === `${a.shape}`) return a;
  const backward = (dy: Value) => [sumTo(multiply(dy, b), a.shape), sumTo(multiply(dy, a), b.shape)];
  return operation('Mul', [a, b], shape, { backward });
}

function isOnes({ node }: Value): boolean {
  if (node.operator === 'Expand' || node.operator === 'Reshape') return isOnes(node.inputs[0]!);
  return node.constant?.type === 'float32' && node.constant.data.every((value) => value === 1);
}

/** max(x, 0); where x ≤ 0 no gradient flows. */
export function relu(x: Value): Value {
  const y: Value = operation('Relu', [x], x.shape, {
    backward: (dy) => [operation('Where', [cast(y, 'bool'), dy, scalar(0)], y.shape)],
  });
  return y;
}

export function exp(x: Value): Value {
  const y: Value = operation('Exp', [x], x.shape, { backward: (dy) => [multiply(dy, y)] });
  return y;
}

/**
 * x − log Σ exp(x) over the last axis.
 *
 * Formula: dx = dy − exp(y) · Σ dy.
 */
export function logSoftmax(x: Value): Value {
  const axis = x.shape.length - 1;
  const y: Value = operation('LogSoftmax', [x], x.shape, {
    attributes: { axis: { int: -1 } },
    backward: (dy) => [subtract(dy, multiply(exp(y), sumOver(dy, [axis])))],
  });
  return y;
}

/** Elements as another type; as booleans: whether they differ from 0. No gradient flows. */
export function cast(x: Value, type: ElementType): Value {
  return { ...operation('Cast', [x], x.shape, { attributes: { to: { int: elementCodes[type] } } }), type };
}
