/** What an element is: float32 carries gradients, the others do not. */
export type ElementType = 'float32' | 'uint8' | 'int64' | 'bool';

/** The types as ONNX numbers them. */
export const elementCodes = { float32: 1, uint8: 2, int64: 7, bool: 9 } as const satisfies Record<ElementType, number>;

/** An attribute as ONNX types it. */
export type Attribute = { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] };

/** One operation: an ONNX operator, or a leaf (`Input`, `Constant`). */
export type GraphNode = {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Inputs that ONNX wants as tensors and that are known when the graph is made: a shape, axes. */
  readonly settings: readonly Constant[];
  readonly outputCount: number;
  /** From the gradient of the first output to that of each input; null where none flows. */
  readonly backward: Backward | null;
  readonly constant: Constant | null;
};

export type Backward = (dy: Value) => readonly (Value | null)[];

export type Constant =
  | { readonly type: 'float32'; readonly shape: readonly number[]; readonly data: readonly number[] }
  | { readonly type: 'int64'; readonly shape: readonly number[]; readonly data: readonly number[] };

/** A tensor in a graph that is not computed yet. Values are compared by identity. */
export type Value = {
  readonly node: GraphNode;
  /** Which output of the node. */
  readonly port: number;
  readonly shape: readonly number[];
  readonly type: ElementType;
};

type NodeOptions = Partial<Pick<GraphNode, 'attributes' | 'settings' | 'outputCount' | 'backward' | 'constant'>>;

/** A node and its first output. */
export function operation(
  operator: string,
  inputs: readonly Value[],
  shape: readonly number[],
  { attributes = {}, settings = [], outputCount = 1, backward = null, constant = null }: NodeOptions = {},
): Value {
  const node = { operator, inputs, attributes, settings, outputCount, backward, constant };
  return { node, port: 0, shape, type: 'float32' };
}

/** A tensor that the caller of the graph feeds. */
export function input(shape: readonly number[], type: ElementType = 'float32'): Value {
  return { ...operation('Input', [], shape), type };
}

/** A scalar that is known when the graph is made. */
export function scalar(value: number): Value {
  return operation('Constant', [], [], { constant: { type: 'float32', shape: [], data: [value] } });
}

/** A list of whole numbers as ONNX takes shapes and axes. */
export function integers(data: readonly number[]): Constant {
  return { type: 'int64', shape: [data.length], data };
}

/** Throws RangeError with wish and value. */
export function refuse(what: string, wish: string, value: unknown): never {
  throw new RangeError(`Cannot build ${what} as ${wish}: current value is ${JSON.stringify(value)}`);
}
