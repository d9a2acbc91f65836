/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Writes a value as canonical JSON: sorted keys, no spaces, ECMAScript numbers. Equal values give equal bytes.
 *
 * Errors: TypeError on a number that is not finite. A key whose value is undefined is left out.
 * Source: RFC 8785.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return `${value}`;
    throw new TypeError(`Cannot write canonical JSON as a number must be finite: current value is ${value}`);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const record = value as { readonly [key: string]: Json | undefined };
  let members = '';
  for (const key of sorted(Object.keys(record))) {
    const member = record[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** In order of UTF-16 code units; most records are written in that order already. */
function sorted(keys: string[]): string[] {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return keys.sort();
  return keys;
}

const utf8 = new TextEncoder();

/** The canonical JSON of a value as UTF-8 bytes: what is hashed and signed. */
export function canonicalBytes(value: Json): Uint8Array {
  return utf8.encode(canonicalJson(value));
}
