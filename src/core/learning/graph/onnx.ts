import type { Field } from './protobuf.ts';
import { bytes, concat, float, message, text, varint } from './protobuf.ts';
import type { Attribute, Constant, GraphNode, Value } from './value.ts';
import { elementCodes } from './value.ts';

/** A graph with names for what goes in and out. */
export type NamedGraph = {
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
};

const [irVersion, operatorSet] = [8, 17];

/**
 * The bytes of an ONNX model that computes the outputs from the inputs. Only what the outputs need is written; each node
 * once.
 *
 * Source: onnx.proto3 of ONNX 1.12 (IR version 8, operator set 17).
 */
export function toOnnx({ inputs, outputs }: NamedGraph): Uint8Array<ArrayBuffer> {
  const names = new Map<Value, string>();
  const nodes: Field[] = [];
  const constants: Field[] = [];
  const emitted = new Map<GraphNode, string>();
  for (const [name, value] of Object.entries(inputs)) names.set(value, name);
  const wanted = new Map<GraphNode, string>();
  for (const [name, { node, port }] of Object.entries(outputs)) {
    if (port === 0 && node.constant === null && node.operator !== 'Input' && !wanted.has(node)) wanted.set(node, name);
  }

  const settingName = (constant: Constant, owner: string, k: number): string => {
    const name = `${owner}.setting${k}`;
    constants.push(message(5, tensor(name, constant)));
    return name;
  };
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const base = emitted.get(value.node) ?? emit(value.node);
    const name = resultName(value.node, base, value.port);
    names.set(value, name);
    return name;
  };
  const resultName = (node: GraphNode, base: string, port: number): string =>
    (port === 0 ? wanted.get(node) : undefined) ?? `${base}.${port}`;
  const emit = (node: GraphNode): string => {
    if (node.operator === 'Input')
      throw new RangeError('Cannot write a graph as every input must have a name: one has none');
    const operands = node.inputs.map(nameOf);
    const base = `v${emitted.size}`;
    emitted.set(node, base);
    if (node.constant !== null) {
      constants.push(message(5, tensor(`${base}.0`, node.constant)));
      return base;
    }
    const settings = node.settings.map((constant, k) => settingName(constant, base, k));
    const results = Array.from({ length: node.outputCount }, (_, port) => resultName(node, base, port));
    nodes.push(message(1, nodeFields(node.operator, [...operands, ...settings], results, node.attributes)));
    return base;
  };

  for (const [name, value] of Object.entries(outputs)) {
    const from = nameOf(value);
    if (from !== name) nodes.push(message(1, nodeFields('Identity', [from], [name], {})));
  }
  const graph = [
    ...nodes,
    text(2, 'qflare'),
    ...constants,
    ...Object.entries(inputs).map(([name, value]) => message(11, valueInfo(name, value))),
    ...Object.entries(outputs).map(([name, value]) => message(12, valueInfo(name, value))),
  ];
  return concat([
    varint(1, irVersion),
    text(2, 'qflare'),
    message(7, graph),
    message(8, [text(1, ''), varint(2, operatorSet)]),
  ]);
}

function nodeFields(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
): Field[] {
  return [
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, [text(1, name), ...attributeFields(value)])),
  ];
}

function attributeFields(value: Attribute): Field[] {
  if ('int' in value) return [varint(3, value.int), varint(20, 2)];
  if ('float' in value) return [float(2, value.float), varint(20, 1)];
  return [...value.ints.map((each) => varint(8, each)), varint(20, 7)];
}

function tensor(name: string, { type, shape, data }: Constant): Field[] {
  const raw = type === 'float32' ? Float32Array.from(data) : BigInt64Array.from(data, BigInt);
  return [
    ...shape.map((size) => varint(1, size)),
    varint(2, elementCodes[type]),
    text(8, name),
    bytes(9, new Uint8Array(raw.buffer)),
  ];
}

function valueInfo(name: string, { type, shape }: Value): Field[] {
  const dimensions = shape.map((size) => message(1, [varint(1, size)]));
  return [text(1, name), message(2, [message(1, [varint(1, elementCodes[type]), message(2, dimensions)])])];
}
