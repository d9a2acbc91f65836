import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../random/rng.ts';
import { convolution, maxPool } from './convolution-ops.ts';
import { cast, exp, logSoftmax, multiply, relu, subtract, add } from './elementwise-ops.ts';
import { gradients } from './gradients.ts';
import { blend, product } from './matrix-ops.ts';
import { toOnnx } from './onnx.ts';
import { type Plain, plainModel } from './plain-runtime.fixture.ts';
import { expand, reshape, sumOver, sumTo, transpose } from './shape-ops.ts';
import { input, scalar, type Value } from './value.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

function random(shape: readonly number[], seed: number): Plain {
  const rng = createRng(seed);
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => rng.gaussian()) };
}

/** ⟨y, r⟩ for a fixed random r: its gradient tells every entry of the transposed Jacobian apart. */
function probe(y: Value): { loss: Value; name: string; values: Plain; value: Value } {
  const value = input(y.shape);
  const all = y.shape.map((_, axis) => axis);
  return { loss: sumOver(multiply(y, value), all), name: 'probe', values: random(y.shape, 99), value };
}

/** The largest difference between the gradient of each parameter and central differences in float64. */
function worstError(parameters: Record<string, Value>, y: Value): number {
  const { loss, name, values, value } = probe(y);
  const names = Object.keys(parameters);
  const slopes = gradients(loss, Object.values(parameters));
  const inputs = { ...parameters, [name]: value };
  const outputs = { loss, ...Object.fromEntries(slopes.map((slope, i) => [`d.${names[i]!}`, slope])) };
  const run = plainModel(toOnnx({ inputs, outputs }));
  const at: Record<string, Plain> = { [name]: values };
  for (const [i, key] of names.entries()) at[key] = random(parameters[key]!.shape, i + 1);
  const result = run(at);
  const h = 1e-5;
  let worst = 0;
  for (const key of names) {
    const slope = result[`d.${key}`]!;
    assert.deepEqual(slope.shape, parameters[key]!.shape);
    for (const [k, middle] of at[key]!.data.entries()) {
      const lossAt = (x: number): number =>
        run({ ...at, [key]: { shape: at[key]!.shape, data: at[key]!.data.with(k, x) } })['loss']!.data[0]!;
      const difference = (lossAt(middle + h) - lossAt(middle - h)) / (2 * h);
      worst = Math.max(worst, Math.abs(difference - slope.data[k]!));
    }
  }
  return worst;
}

const [a, b, row, column] = [input([3, 4]), input([3, 4]), input([4]), input([3, 1])];
const [m34, m43, m45, m54] = [input([3, 4]), input([4, 3]), input([4, 5]), input([5, 4])];
const [images, weights, bias] = [input([2, 3, 4, 6]), input([2, 3, 3, 3]), input([2])];

const cases: Record<string, [Record<string, Value>, Value]> = {
  'a sum of equal shapes': [{ a, b }, add(a, b)],
  'a sum with a broadcast row and column': [{ a, row, column }, add(add(a, row), column)],
  'a difference with a broadcast row': [{ a, row }, subtract(row, a)],
  'a product by element, broadcast over a column': [{ a, column }, multiply(a, column)],
  'a square: both factors are the same value': [{ a }, multiply(a, a)],
  relu: [{ a }, relu(a)],
  exp: [{ a }, exp(a)],
  'log-softmax': [{ a }, logSoftmax(a)],
  'a sum over an axis': [{ a }, sumOver(a, [0])],
  'a sum to a smaller shape': [{ a }, sumTo(a, [1, 4])],
  'an expansion': [{ column }, expand(column, [3, 5])],
  'a transposition': [{ images }, transpose(images, [2, 0, 3, 1])],
  'a reshape': [{ a, b }, multiply(reshape(a, [2, 6]), reshape(b, [2, 6]))],
  'a convolution with a border': [{ images, weights, bias }, convolution(images, weights, bias, 1)],
  'a convolution without': [{ images, weights, bias }, convolution(images, weights, bias, 0)],
  'a pooling': [{ images }, maxPool(images)],
};
for (const [transposeA, left] of [
  [false, m34],
  [true, m43],
] as const) {
  for (const [transposeB, right] of [
    [false, m45],
    [true, m54],
  ] as const) {
    const plus = input([3, 1]);
    const options = { transposeA, transposeB, factor: -0.5, plus, plusFactor: 3 };
    const name = `−½ ${transposeA ? 'Aᵀ' : 'A'} ${transposeB ? 'Bᵀ' : 'B'} + 3 · column`;
    cases[name] = [{ left, right, plus }, product(left, right, options)];
  }
}

for (const [name, [parameters, y]] of Object.entries(cases)) {
  test(`the gradient of ${name} agrees with central differences to 1e-8`, () => {
    const error = worstError(parameters, y);
    assert.ok(error < 1e-8, String(error));
  });
}

test('the gradient of (w · x − 3)² at w = 2, x = 5 is 70 for w and 28 for x', () => {
  // 2 (10 − 3) = 14 is the outer slope; times x = 5 and times w = 2.
  const [w, x] = [input([]), input([])];
  const difference = subtract(multiply(w, x), scalar(3));
  const [dw, dx] = gradients(multiply(difference, difference), [w, x]);
  const run = plainModel(toOnnx({ inputs: { w, x }, outputs: { dw: dw!, dx: dx! } }));
  const number = (value: number): Plain => ({ shape: [], data: Float64Array.of(value) });
  const result = run({ w: number(2), x: number(5) });
  assert.deepEqual([result['dw']!.data[0], result['dx']!.data[0]], [70, 28]);
});

test('a parameter may be a result itself: what is before it is not differentiated', () => {
  const x = input([2]);
  const w = multiply(x, x);
  const [slope] = gradients(sumOver(multiply(w, scalar(4)), [0]), [w]);
  const run = plainModel(toOnnx({ inputs: { x }, outputs: { slope: slope! } }));
  assert.deepEqual(Array.from(run({ x: { shape: [2], data: Float64Array.of(7, 9) } })['slope']!.data), [4, 4]);
});

test('a blend with a product is one product, and with anything else a sum of the same value', () => {
  const base = input([3, 5]);
  const folded = blend(base, 2, product(m34, m45), -1);
  assert.equal(folded.node.operator, 'Gemm');
  const apart = blend(base, 2, exp(product(m34, m45)), -1);
  assert.equal(apart.node.operator, 'Add');
  const inputs = { base, m34, m45 };
  const values = { base: random([3, 5], 1), m34: random([3, 4], 2), m45: random([4, 5], 3) };
  const plain = add(multiply(base, scalar(2)), multiply(product(m34, m45), scalar(-1)));
  const { x, y } = plainModel(toOnnx({ inputs, outputs: { x: folded, y: plain } }))(values);
  assert.ok(x!.data.every((value, i) => Math.abs(value - y!.data[i]!) < 1e-12));
});

test('what cannot be differentiated or built is refused with wish and value', () => {
  assert.throws(() => gradients(exp(a), [b]), /loss must depend on every parameter: current value is 0/);
  assert.throws(() => gradients(cast(cast(a, 'bool'), 'float32'), [a]), /must have a gradient: current value is Cast/);
  assert.throws(() => add(a, input([5])), /shapes must agree or be 1: current value is \[\[3,4\],\[5\]\]/);
  assert.throws(() => product(m34, m34), /inner sizes must agree \(4 and 3\)/);
  assert.throws(() => product(row, m34), /must have two axes: current value is \[4\]/);
  assert.throws(() => reshape(a, [5]), /must keep 12 elements: current value is \[5\]/);
  assert.throws(() => maxPool(input([1, 1, 3, 4])), /must be even: current value is \[1,1,3,4\]/);
  assert.throws(() => convolution(images, input([2, 4, 3, 3]), bias, 1), /must have 3 inputs/);
});
