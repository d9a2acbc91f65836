import { integers, operation, refuse } from './value.ts';
import type { Value } from './value.ts';

const product = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

/** The same elements in row-major order under another shape. */
export function reshape(x: Value, shape: readonly number[]): Value {
  if (product(shape) !== product(x.shape)) refuse('a reshape', `it must keep ${product(x.shape)} elements`, shape);
  const backward = (dy: Value) => [reshape(dy, x.shape)];
  return operation('Reshape', [x], shape, { settings: [integers(shape)], backward });
}

/** Axes in another order: output axis k is input axis order[k]. */
export function transpose(x: Value, order: readonly number[]): Value {
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return operation(
    'Transpose',
    [x],
    order.map((axis) => x.shape[axis]!),
    { attributes: { perm: { ints: order } }, backward: (dy) => [transpose(dy, inverse)] },
  );
}

/** The sum over some axes, which stay with size 1. */
export function sumOver(x: Value, axes: readonly number[]): Value {
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const backward = (dy: Value) => [expand(dy, x.shape)];
  const attributes = { keepdims: { int: 1 } };
  return operation('ReduceSum', [x], shape, { attributes, settings: [integers(axes)], backward });
}

/** Repeats along axes of size 1, as broadcasting does. */
export function expand(x: Value, shape: readonly number[]): Value {
  if (`${x.shape}` === `${shape}`) return x;
  const backward = (dy: Value) => [sumTo(dy, x.shape)];
  return operation('Expand', [x], shape, { settings: [integers(shape)], backward });
}

/**
 * Undoes broadcasting: the sum over the axes along which a tensor of this shape was repeated.
 *
 * Formula: the gradient of y = broadcast(x) is Σ over the repeated axes.
 */
export function sumTo(y: Value, shape: readonly number[]): Value {
  const missing = y.shape.length - shape.length;
  const axes = y.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size > 1) ? [axis] : [],
  );
  const summed = axes.length === 0 ? y : sumOver(y, axes);
  return missing === 0 ? summed : reshape(summed, shape);
}

/** The shape of an elementwise operation on two tensors, by the rules of numpy. */
export function broadcastShape(a: Value, b: Value): readonly number[] {
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeOf = ({ shape }: Value): number => shape[axis - rank + shape.length] ?? 1;
    const [left, right] = [sizeOf(a), sizeOf(b)];
    if (left !== right && left !== 1 && right !== 1) {
      refuse('an elementwise operation', 'shapes must agree or be 1', [a.shape, b.shape]);
    }
    return Math.max(left, right);
  });
}
