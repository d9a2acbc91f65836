import type { GraphRuntime } from '../../../ports/graph-runtime.ts';
import { type ReadNode, readOnnx } from './onnx-reader.fixture.ts';

/** A tensor in float64. */
export type Plain = { readonly shape: readonly number[]; readonly data: Float64Array };

type Operator = (inputs: readonly Plain[], node: ReadNode) => readonly Plain[];

/** Runs ONNX models in plain TypeScript, in float64: what the graphs mean, by the book and without speed. */
export function createPlainRuntime(): GraphRuntime {
  return {
    name: 'graph',
    async load(bytes) {
      const run = plainModel(bytes);
      return {
        bind: (inputs, outputs) => async () => {
          const results = run(
            Object.fromEntries(
              Object.entries(inputs).map(([name, { data, shape }]) => [name, { shape, data: Float64Array.from(data) }]),
            ),
          );
          for (const [name, { data }] of Object.entries(outputs)) data.set(results[name]!.data);
        },
      };
    },
  };
}

/** A model as a function of its inputs by name. */
export function plainModel(bytes: Uint8Array): (inputs: Record<string, Plain>) => Record<string, Plain> {
  const model = readOnnx(bytes);
  const constants = Object.entries(model.constants).map(([name, { shape, data }]): [string, Plain] => [
    name,
    { shape, data: Float64Array.from(data) },
  ]);
  return (inputs) => {
    const known = new Map<string, Plain>([...constants, ...Object.entries(inputs)]);
    for (const node of model.nodes) {
      const operator = operators[node.operator];
      if (operator === undefined) throw new Error(`no operator ${node.operator}`);
      const results = operator(
        node.inputs.map((name) => known.get(name)!),
        node,
      );
      for (const [i, name] of node.outputs.entries()) known.set(name, results[i]!);
    }
    return Object.fromEntries(model.outputs.map((name) => [name, known.get(name)!]));
  };
}

const count = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

const strides = (shape: readonly number[]): number[] => shape.map((_, axis) => count(shape.slice(axis + 1)));

function filled(shape: readonly number[], value: (index: number, place: readonly number[]) => number): Plain {
  const steps = strides(shape);
  const data = Float64Array.from({ length: count(shape) }, (_, index) =>
    value(
      index,
      shape.map((size, axis) => Math.floor(index / steps[axis]!) % size),
    ),
  );
  return { shape, data };
}

/** The element of a tensor at a place of a larger shape. */
function broadcastAt({ shape, data }: Plain, place: readonly number[]): number {
  const steps = strides(shape);
  const missing = place.length - shape.length;
  return data[shape.reduce((sum, size, axis) => sum + (size === 1 ? 0 : place[axis + missing]! * steps[axis]!), 0)]!;
}

function elementwise(apply: (...values: number[]) => number): Operator {
  return (inputs) => {
    const rank = Math.max(...inputs.map(({ shape }) => shape.length));
    const shape = Array.from({ length: rank }, (_, axis) =>
      Math.max(...inputs.map((each) => each.shape[axis - rank + each.shape.length] ?? 1)),
    );
    return [filled(shape, (_, place) => apply(...inputs.map((each) => broadcastAt(each, place))))];
  };
}

const intsOf = ({ attributes }: ReadNode, name: string): readonly number[] =>
  (attributes[name] as { ints: readonly number[] }).ints;
const intOf = ({ attributes }: ReadNode, name: string): number => (attributes[name] as { int: number }).int;
const floatOf = ({ attributes }: ReadNode, name: string): number => (attributes[name] as { float: number }).float;

const operators: Record<string, Operator> = {
  Identity: ([x]) => [x!],
  Add: elementwise((a, b) => a! + b!),
  Sub: elementwise((a, b) => a! - b!),
  Mul: elementwise((a, b) => a! * b!),
  Relu: elementwise((x) => Math.max(x!, 0)),
  Exp: elementwise((x) => Math.exp(x!)),
  Where: elementwise((condition, a, b) => (condition! ? a! : b!)),
  Cast: ([x], node) => (intOf(node, 'to') === 9 ? elementwise((value) => Number(value !== 0))([x!], node) : [x!]),
  LogSoftmax: ([x]) => {
    const width = x!.shape.at(-1)!;
    const sums = filled([x!.data.length / width], (row) => {
      const values = x!.data.subarray(row * width, (row + 1) * width);
      const top = values.reduce((max, value) => Math.max(max, value), -Infinity);
      return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
    });
    return [filled(x!.shape, (i) => x!.data[i]! - sums.data[Math.floor(i / width)]!)];
  },
  Reshape: ([x, shape]) => [{ shape: Array.from(shape!.data), data: x!.data }],
  Expand: ([x, shape]) => [filled(Array.from(shape!.data), (_, place) => broadcastAt(x!, place))],
  Transpose: ([x], node) => {
    const order = intsOf(node, 'perm');
    const steps = strides(x!.shape);
    const shape = order.map((axis) => x!.shape[axis]!);
    return [filled(shape, (_, place) => x!.data[order.reduce((sum, axis, k) => sum + place[k]! * steps[axis]!, 0)]!)];
  },
  ReduceSum: ([x, axes]) => {
    const over = Array.from(axes!.data);
    const shape = x!.shape.map((size, axis) => (over.includes(axis) ? 1 : size));
    const sum = filled(shape, () => 0);
    const steps = strides(shape);
    filled(x!.shape, (i, place) => {
      const at = place.reduce((total, k, axis) => total + (over.includes(axis) ? 0 : k * steps[axis]!), 0);
      return (sum.data[at]! += x!.data[i]!);
    });
    return [sum];
  },
  Gemm: ([a, b, c], node) => {
    const oriented = (x: Plain, flag: string) =>
      intOf(node, flag) === 1
        ? { size: x.shape.toReversed(), at: (i: number, j: number) => x.data[j * x.shape[1]! + i]! }
        : { size: x.shape, at: (i: number, j: number) => x.data[i * x.shape[1]! + j]! };
    const [left, right] = [oriented(a!, 'transA'), oriented(b!, 'transB')];
    const [alpha, beta] = [floatOf(node, 'alpha'), floatOf(node, 'beta')];
    return [
      filled([left.size[0]!, right.size[1]!], (_, [i, j]) => {
        let sum = 0;
        for (let k = 0; k < left.size[1]!; k++) sum += left.at(i!, k) * right.at(k, j!);
        return alpha * sum + (c === undefined ? 0 : beta * broadcastAt(c, [i!, j!]));
      }),
    ];
  },
  Conv: ([x, w, bias], node) => {
    const [border] = intsOf(node, 'pads') as [number];
    const [batch, , height, width] = x!.shape as [number, number, number, number];
    const [outputs, , kh, kw] = w!.shape as [number, number, number, number];
    const shape = [batch, outputs, height + 2 * border - kh + 1, width + 2 * border - kw + 1];
    const y = filled(shape, (_, [, o]) => bias?.data[o!] ?? 0);
    eachProduct(x!, w!, y, border, (from, at, to) => void (y.data[to]! += w!.data[at]! * x!.data[from]!));
    return [y];
  },
  ConvTranspose: ([dy, w], node) => {
    const [border] = intsOf(node, 'pads') as [number];
    const [batch, , height, width] = dy!.shape as [number, number, number, number];
    const [, inputs, kh, kw] = w!.shape as [number, number, number, number];
    const dx = filled([batch, inputs, height - 2 * border + kh - 1, width - 2 * border + kw - 1], () => 0);
    eachProduct(dx, w!, dy!, border, (from, at, to) => void (dx.data[from]! += w!.data[at]! * dy!.data[to]!));
    return [dx];
  },
  MaxPool: ([x]) => {
    const [batch, channels, height, width] = x!.shape as [number, number, number, number];
    const places = filled([batch, channels, height / 2, width / 2], (_, [b, c, i, j]) => {
      const corner = ((b! * channels + c!) * height + 2 * i!) * width + 2 * j!;
      const window = [corner, corner + 1, corner + width, corner + width + 1];
      return window.reduce((best, at) => (x!.data[at]! > x!.data[best]! ? at : best));
    });
    return [{ shape: places.shape, data: places.data.map((at) => x!.data[at]!) }, places];
  },
  MaxUnpool: ([dy, places]) => {
    const [batch, channels, height, width] = dy!.shape as [number, number, number, number];
    const dx = filled([batch, channels, 2 * height, 2 * width], () => 0);
    for (const [i, at] of places!.data.entries()) dx.data[at] = dy!.data[i]!;
    return [dx];
  },
};

/** Each product of a convolution: which element of x, of w and of y. */
function eachProduct(
  x: Plain,
  w: Plain,
  y: Plain,
  border: number,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [, inputs, height, width] = x.shape as [number, number, number, number];
  const [, , kh, kw] = w.shape as [number, number, number, number];
  filled(y.shape, (to, [b, o, row, column]) => {
    filled([inputs, kh, kw], (_, [c, i, j]) => {
      const [up, left] = [row! + i! - border, column! + j! - border];
      if (up >= 0 && up < height && left >= 0 && left < width) {
        visit(((b! * inputs + c!) * height + up) * width + left, ((o! * inputs + c!) * kh + i!) * kw + j!, to);
      }
      return 0;
    });
    return 0;
  });
}
