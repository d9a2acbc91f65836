import type { Attribute } from './value.ts';

/** A node of an ONNX model as read back from its bytes. */
export type ReadNode = {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
};

export type ReadModel = {
  readonly nodes: readonly ReadNode[];
  readonly constants: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly version: number;
};

type RawField = { readonly field: number; readonly value: number; readonly bytes: Uint8Array };

const decoder = new TextDecoder();

/** Reads what the tests need of an ONNX model, from the field numbers of onnx.proto3. */
export function readOnnx(model: Uint8Array): ReadModel {
  const top = fieldsOf(model);
  const graph = fieldsOf(bytesOf(top, 7)[0]!);
  const tensors = bytesOf(graph, 5).map(readTensor);
  return {
    nodes: bytesOf(graph, 1).map(readNode),
    constants: Object.fromEntries(tensors.map(({ name, ...rest }) => [name, rest])),
    inputs: bytesOf(graph, 11).map((info) => textOf(fieldsOf(info), 1)),
    outputs: bytesOf(graph, 12).map((info) => textOf(fieldsOf(info), 1)),
    version: fieldsOf(bytesOf(top, 8)[0]!).find(({ field }) => field === 2)!.value,
  };
}

function readNode(bytes: Uint8Array): ReadNode {
  const fields = fieldsOf(bytes);
  const texts = (field: number): string[] => bytesOf(fields, field).map((value) => decoder.decode(value));
  const attributes = bytesOf(fields, 5).map((attribute) => readAttribute(fieldsOf(attribute)));
  return {
    operator: texts(4)[0]!,
    inputs: texts(1),
    outputs: texts(2),
    attributes: Object.fromEntries(attributes),
  };
}

function readAttribute(fields: readonly RawField[]): [string, Attribute] {
  const single = (field: number): RawField => fields.find((each) => each.field === field)!;
  const name = textOf(fields, 1);
  const type = single(20).value;
  if (type === 1) return [name, { float: new DataView(single(2).bytes.slice().buffer).getFloat32(0, true) }];
  if (type === 2) return [name, { int: single(3).value }];
  return [name, { ints: fields.filter(({ field }) => field === 8).map(({ value }) => value) }];
}

function readTensor(bytes: Uint8Array): { name: string; shape: number[]; data: number[] } {
  const fields = fieldsOf(bytes);
  const raw = bytesOf(fields, 9)[0]!.slice().buffer;
  const isFloat = fields.find(({ field }) => field === 2)!.value === 1;
  return {
    name: textOf(fields, 8),
    shape: fields.filter(({ field }) => field === 1).map(({ value }) => value),
    data: isFloat ? Array.from(new Float32Array(raw)) : Array.from(new BigInt64Array(raw), Number),
  };
}

const bytesOf = (fields: readonly RawField[], field: number): Uint8Array[] =>
  fields.filter((each) => each.field === field).map(({ bytes }) => bytes);

const textOf = (fields: readonly RawField[], field: number): string => decoder.decode(bytesOf(fields, field)[0]);

function fieldsOf(bytes: Uint8Array): RawField[] {
  const fields: RawField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wire] = [tag >> 3, tag & 7];
    if (wire === 0) fields.push({ field, value: varint(), bytes: new Uint8Array() });
    else {
      const length = wire === 2 ? varint() : 4;
      fields.push({ field, value: 0, bytes: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  return fields;
}
