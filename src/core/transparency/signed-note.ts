import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { schemeOf, type SignatureScheme } from '../protocol/signature-scheme.ts';

const noteTypes = { treeHead: 'tree-head', cosignature: 'cosignature' } as const;
type NoteSignatureType = keyof typeof noteTypes;
const noteSchemes = { 'ML-DSA-65': 'ml-dsa-65', 'ML-DSA-87': 'ml-dsa-87' } as const satisfies Partial<
  Record<SignatureScheme, string>
>;

/**
 * What a note's signature is, as the type identifier that goes into key ids: 0xff, since neither ML-DSA-65 nor ML-DSA-87 has a
 * byte of its own there, and a longer name. The scheme is part of the name: a key of one is none of the other.
 */
function typeIdentifier(type: NoteSignatureType, scheme: keyof typeof noteSchemes): string {
  return `qflare/${noteSchemes[scheme]}/${noteTypes[type]}/v1`;
}

/** A key that signs notes: its name, what it signs, and its public half. */
export type NoteKey = { readonly name: string; readonly type: NoteSignatureType; readonly publicKey: Uint8Array };

export type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Uint8Array };
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

const signaturesMax = 16;
const namePattern = /^[^\s+]{1,200}$/u;

/**
 * The short id of a key.
 *
 * Formula: SHA-256(name ‖ 0x0A ‖ 0xff ‖ type ‖ 0x0A ‖ public key)[0:4] in hexadecimal.
 * Source:  C2SP signed-note.
 */
export function keyIdOf({ name, type, publicKey }: NoteKey): string {
  const text = new TextEncoder();
  return sha256(concatBytes(text.encode(`${name}\n`), typedKey(type, publicKey)))
    .slice(0, 4)
    .toHex();
}

/** A verifier key as one line of text: `name+id+base64(0xff ‖ type ‖ 0x0A ‖ public key)`. */
export function encodeVerifierKey(key: NoteKey): string {
  return `${key.name}+${keyIdOf(key)}+${typedKey(key.type, key.publicKey).toBase64()}`;
}

/** Reads a verifier key, or gives undefined when it is none of ours or its id does not match. */
export function parseVerifierKey(text: string): NoteKey | undefined {
  const [, name, keyId, base64] = /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text.trim()) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (name === undefined || bytes === undefined) return undefined;
  for (const type of Object.keys(noteTypes) as NoteSignatureType[]) {
    for (const scheme of Object.keys(noteSchemes) as (keyof typeof noteSchemes)[]) {
      const prefix = prefixOf(typeIdentifier(type, scheme));
      if (!prefix.every((byte, i) => byte === bytes[i])) continue;
      const key: NoteKey = { name, type, publicKey: bytes.slice(prefix.length) };
      return schemeOfKey(key.publicKey) === scheme && keyIdOf(key) === keyId ? key : undefined;
    }
  }
  return undefined;
}

/** Puts a note together: its text, a blank line, one line a signature. */
export function encodeNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    return `— ${name} ${concatBytes(Uint8Array.fromHex(keyId), signature).toBase64()}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/**
 * Takes a note apart; nothing in it is verified.
 *
 * Promises: never throws; gives undefined for anything but the one encoding of a note, so that no byte of it is free.
 * Source:   C2SP signed-note.
 */
export function parseNote(encoded: string): Note | undefined {
  const end = encoded.lastIndexOf('\n\n');
  if (end === -1) return undefined;
  const text = encoded.slice(0, end + 1);
  const lines = encoded.slice(end + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > signaturesMax) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [dash, name = '', base64 = '', ...rest] = line.split(' ');
    const bytes = fromBase64(base64);
    if (dash !== '—' || rest.length > 0 || !namePattern.test(name) || bytes === undefined || bytes.length < 5)
      return undefined;
    signatures.push({ name, keyId: bytes.slice(0, 4).toHex(), signature: bytes.slice(4) });
  }
  const note = { text, signatures };
  return encodeNote(note) === encoded ? note : undefined;
}

function typedKey(type: NoteSignatureType, publicKey: Uint8Array): Uint8Array {
  const scheme = schemeOfKey(publicKey);
  if (scheme === undefined)
    throw new RangeError(
      `Cannot name a note's key as it must be ML-DSA-65 or ML-DSA-87: it has ${publicKey.length} bytes`,
    );
  return concatBytes(prefixOf(typeIdentifier(type, scheme)), publicKey);
}

function schemeOfKey(publicKey: Uint8Array): keyof typeof noteSchemes | undefined {
  const scheme = schemeOf('publicKeyBytes', publicKey.length);
  return scheme !== undefined && scheme in noteSchemes ? (scheme as keyof typeof noteSchemes) : undefined;
}

function prefixOf(identifier: string): Uint8Array {
  return concatBytes(Uint8Array.of(0xff), new TextEncoder().encode(`${identifier}\n`));
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
  } catch {
    return undefined;
  }
}
