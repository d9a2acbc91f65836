/** A value of a tag in DER, as far as certificates need it: one identifier octet, a definite length. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length = body.length.toString(16);
  const bytes = Buffer.from(length.length % 2 === 0 ? length : `0${length}`, 'hex');
  const head =
    body.length < 0x80 ? Buffer.of(tag, body.length) : Buffer.concat([Buffer.of(tag, 0x80 | bytes.length), bytes]);
  return Buffer.concat([head, body]);
}

/** A value that was read: its tag, what it holds, and all of its bytes. */
type DerValue = { readonly tag: number; readonly body: Uint8Array; readonly bytes: Uint8Array };

/**
 * The values that stand one behind the other in these bytes.
 *
 * Errors: RangeError for bytes that are cut or have a length in another form than ours.
 */
export function derValues(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at + 1] ?? 0xff;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (more > 4) throw new RangeError('Cannot read DER as lengths must have at most four octets');
    const length =
      more === 0 ? first : bytes.subarray(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
    const start = at + 2 + more;
    if (start + length > bytes.length) throw new RangeError('Cannot read DER as it must be whole: it is cut');
    values.push({
      tag: bytes[at]!,
      body: bytes.subarray(start, start + length),
      bytes: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return values;
}
