import { z } from 'zod';
import { elementCount, type Manifest, parameterCount, type Tensor } from './manifest.ts';

const headerBytesMax = 100 << 20;

const entrySchema = z.strictObject({
  dtype: z.literal('F32'),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

/** A safetensors file taken apart: its tensors in file order, their values in one vector, and its metadata. */
export type SafetensorsFile = {
  readonly tensors: readonly Pick<Tensor, 'name' | 'dtype' | 'shape'>[];
  readonly values: Float32Array;
  readonly metadata: Readonly<Record<string, string>>;
};

/**
 * Writes one flat vector as a safetensors file, tensor by tensor in the manifest's order.
 *
 * Shapes: values [d] → 8 + header + 4 d bytes. The data starts at a multiple of 8.
 * Errors: RangeError when the vector has another length than the manifest.
 * Source: safetensors format 0.4 (huggingface/safetensors).
 */
export function encodeSafetensors(
  manifest: Manifest,
  values: Float32Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const d = parameterCount(manifest);
  if (values.length !== d) {
    throw new RangeError(`Cannot write a model as its values must be ${d}: current value is ${values.length}`);
  }
  const head = encodeSafetensorsHead(manifest, metadata);
  const bytes = new Uint8Array(head.length + values.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), head.length);
  return bytes;
}

/** What stands in a safetensors file before the values: its length and its header. */
export function encodeSafetensorsHead(manifest: Manifest, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const tensor of manifest) {
    const end = offset + 4 * elementCount(tensor);
    header[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text + ' '.repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  return head;
}

/**
 * Reads a safetensors file of float32 tensors that lie one behind the other.
 *
 * Errors: RangeError that says what is wrong with the file. Inert data only: nothing in it is executed.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { dataStart, tensors, metadata } = safetensorsLayout(bytes, bytes.length);
  return { tensors, metadata, values: new Float32Array(new Uint8Array(bytes.subarray(dataStart)).buffer) };
}

/** How many bytes from the start hold the whole header, by the first eight of them. */
export function safetensorsHeadBytes(start: Uint8Array): number {
  if (start.length < 8) throw fault(`it must have at least 8 bytes: current value is ${start.length}`);
  const size = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (size > BigInt(headerBytesMax)) throw fault(`its header must fit into the file: the header says ${size} bytes`);
  return 8 + Number(size);
}

/** Reads the header of a file of so many bytes: where the values begin, and which tensors lie there one behind the other. */
export function safetensorsLayout(
  bytes: Uint8Array,
  fileBytes: number,
): Omit<SafetensorsFile, 'values'> & { readonly dataStart: number } {
  const { header, dataStart } = readHeader(bytes);
  const metadata = z.record(z.string(), z.string()).safeParse(header['__metadata__'] ?? {});
  if (!metadata.success) throw fault('__metadata__ must be a map of texts');
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, raw]) => {
      const entry = entrySchema.safeParse(raw);
      if (!entry.success) throw fault(`tensor "${name}" must be { dtype: "F32", shape, data_offsets }`);
      return { name, dtype: entry.data.dtype, shape: entry.data.shape, offsets: entry.data.data_offsets };
    })
    .sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);

  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + 4 * elementCount(tensor);
    if (tensor.offsets[0] !== offset || tensor.offsets[1] !== end) {
      throw fault(`tensor "${tensor.name}" must lie at ${offset} to ${end}: it says ${tensor.offsets.join(' to ')}`);
    }
    offset = end;
  }
  if (fileBytes !== dataStart + offset) {
    throw fault(`its data must be ${offset} bytes: current value is ${fileBytes - dataStart}`);
  }
  return {
    dataStart,
    tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    metadata: metadata.data,
  };
}

/** Checks that tensors are those of a manifest, in its order, so that their values are the model's flat vector. */
export function assertManifest(manifest: Manifest, tensors: SafetensorsFile['tensors']): void {
  const named = (list: readonly Pick<Tensor, 'name' | 'shape'>[]) =>
    list.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join('; ');
  if (named(manifest) !== named(tensors)) {
    throw fault(`its tensors must be ${named(manifest)}: current value is ${named(tensors)}`);
  }
}

/** Checks that a file holds exactly the tensors of a manifest and gives their values in the manifest's order. */
export function valuesFor(manifest: Manifest, file: SafetensorsFile): Float32Array {
  const values = new Float32Array(parameterCount(manifest));
  let target = 0;
  for (const wanted of manifest) {
    let source = 0;
    const found = file.tensors.find((tensor) => {
      if (tensor.name === wanted.name) return true;
      source += elementCount(tensor);
      return false;
    });
    if (found === undefined) throw fault(`tensor "${wanted.name}" is missing`);
    if (found.shape.join('×') !== wanted.shape.join('×')) {
      throw fault(
        `tensor "${wanted.name}" must have shape [${wanted.shape.join(', ')}]: current value is [${found.shape.join(', ')}]`,
      );
    }
    values.set(file.values.subarray(source, source + elementCount(wanted)), target);
    target += elementCount(wanted);
  }
  if (file.tensors.length !== manifest.length) {
    const names = new Set(manifest.map((tensor) => tensor.name));
    throw fault(`tensor "${file.tensors.find((tensor) => !names.has(tensor.name))?.name}" is not part of the model`);
  }
  return values;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw fault(`it must have at least 8 bytes: current value is ${bytes.length}`);
  const size = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (size > BigInt(Math.min(headerBytesMax, bytes.length - 8))) {
    throw fault(`its header must fit into the file: the header says ${size} bytes`);
  }
  const dataStart = 8 + Number(size);
  if (bytes[8] !== 0x7b) throw fault('its header must begin with "{"');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)));
  } catch {
    throw fault('its header must be JSON');
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header))
    throw fault('its header must be an object');
  return { header: header as Record<string, unknown>, dataStart };
}

function fault(wish: string): RangeError {
  return new RangeError(`Cannot read a safetensors file as ${wish}`);
}
