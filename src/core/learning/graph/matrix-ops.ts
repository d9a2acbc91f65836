import { add, multiply } from './elementwise-ops.ts';
import { sumTo } from './shape-ops.ts';
import { operation, refuse, scalar } from './value.ts';
import type { Value } from './value.ts';

export type ProductOptions = {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Added to the product, `plusFactor` times; broadcast where it is smaller. */
  readonly plus?: Value;
  readonly plusFactor?: number;
  /** What the product is multiplied by before that. */
  readonly factor?: number;
};

/**
 * factor · op(A) op(B) + plusFactor · plus, for matrices, in one pass of the runtime's matrix product.
 *
 * Formula: with op(A) = A, op(B) = B: dA = factor · dy Bᵀ, dB = factor · Aᵀ dy; transposed operands accordingly.
 * Shapes:  [m, k] × [k, n] → [m, n] after transposition.
 */
export function product(a: Value, b: Value, options: ProductOptions = {}): Value {
  const { transposeA = false, transposeB = false, plus, factor = 1, plusFactor = 1 } = options;
  const [m, k] = oriented(a, transposeA);
  const [inner, n] = oriented(b, transposeB);
  if (k !== inner) refuse('a matrix product', `inner sizes must agree (${k} and ${inner})`, [a.shape, b.shape]);
  const backward = (dy: Value) => [
    transposeA
      ? product(b, dy, { transposeA: transposeB, transposeB: true, factor })
      : product(dy, b, { transposeB: !transposeB, factor }),
    transposeB
      ? product(dy, a, { transposeA: true, transposeB: transposeA, factor })
      : product(a, dy, { transposeA: !transposeA, factor }),
    ...(plus === undefined ? [] : [sumTo(plusFactor === 1 ? dy : multiply(dy, scalar(plusFactor)), plus.shape)]),
  ];
  const attributes = {
    alpha: { float: factor },
    beta: { float: plusFactor },
    transA: { int: Number(transposeA) },
    transB: { int: Number(transposeB) },
  };
  return operation('Gemm', plus === undefined ? [a, b] : [a, b, plus], [m, n], { attributes, backward });
}

function oriented({ shape }: Value, isTransposed: boolean): readonly [number, number] {
  const [rows, columns] = shape;
  if (shape.length !== 2) refuse('a matrix product', 'an operand must have two axes', shape);
  return isTransposed ? [columns!, rows!] : [rows!, columns!];
}

/**
 * baseFactor · base + factor · x. Where x is a matrix product with nothing added, the sum becomes part of that product:
 * an optimiser's step then costs no pass of its own over the weights.
 */
export function blend(base: Value, baseFactor: number, x: Value, factor: number): Value {
  const { operator, inputs, attributes } = x.node;
  const isPlain = operator === 'Gemm' && inputs.length === 2 && `${base.shape}` === `${x.shape}`;
  if (!isPlain) return add(scaled(base, baseFactor), scaled(x, factor));
  const flag = (name: string): boolean => (attributes[name] as { int: number }).int === 1;
  return product(inputs[0]!, inputs[1]!, {
    transposeA: flag('transA'),
    transposeB: flag('transB'),
    factor: factor * (attributes['alpha'] as { float: number }).float,
    plus: base,
    plusFactor: baseFactor,
  });
}

/** factor · x. */
function scaled(x: Value, factor: number): Value {
  return factor === 1 ? x : multiply(x, scalar(factor));
}
