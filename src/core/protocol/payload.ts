import { canonicalBytes, type Json } from './canonical-json.ts';

const lengthBytes = 4;
const metaBytesMax = 4096;

/** What lies inside the seal: a length, a small JSON description, and the encoded vector (none for metrics). */
export function encodePayload(meta: Json, body: Uint8Array): Uint8Array {
  const description = canonicalBytes(meta);
  const payload = new Uint8Array(lengthBytes + description.length + body.length);
  new DataView(payload.buffer).setUint32(0, description.length);
  payload.set(description, lengthBytes);
  payload.set(body, lengthBytes + description.length);
  return payload;
}

/** Reads a payload as its bytes come. */
export type PayloadReader = {
  /** Takes bytes in and gives those of them that belong to the body; undefined when this is no payload. Never throws. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** The description, once it has come; it is only parsed, not checked. */
  meta(): { readonly value: unknown } | undefined;
};

export function createPayloadReader(): PayloadReader {
  let head = new Uint8Array();
  let parsed: { readonly value: unknown } | undefined;

  return {
    push(bytes) {
      if (parsed !== undefined) return bytes;
      const all = head.length === 0 ? bytes : joined(head, bytes);
      const size = descriptionBytes(all);
      if (size !== undefined && size > metaBytesMax) return undefined;
      if (size === undefined || all.length < lengthBytes + size) {
        head = all.slice();
        return new Uint8Array();
      }
      try {
        const text = new TextDecoder('utf-8', { fatal: true }).decode(all.subarray(lengthBytes, lengthBytes + size));
        parsed = { value: JSON.parse(text) };
        return all.subarray(lengthBytes + size);
      } catch {
        return undefined;
      }
    },
    meta: () => parsed,
  };
}

function descriptionBytes(bytes: Uint8Array): number | undefined {
  return bytes.length < lengthBytes ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
