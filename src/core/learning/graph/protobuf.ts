/** Protocol Buffers, the writing half: what the ONNX format needs of it. */
export type Field = Uint8Array;

const encoder = new TextEncoder();

/** A whole number ≥ 0. */
export function varint(field: number, value: number): Field {
  return Uint8Array.from([...base128(field * 8), ...base128(value)]);
}

/** A 32-bit float. */
export function float(field: number, value: number): Field {
  return Uint8Array.from([...base128(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)]);
}

export function text(field: number, value: string): Field {
  return bytes(field, encoder.encode(value));
}

export function message(field: number, fields: readonly Field[]): Field {
  return bytes(field, concat(fields));
}

export function bytes(field: number, value: Uint8Array): Field {
  return concat([Uint8Array.from([...base128(field * 8 + 2), ...base128(value.length)]), value]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Seven bits a byte, low first; −1 becomes the ten bytes of its 64-bit two's complement. */
function base128(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return out;
}
