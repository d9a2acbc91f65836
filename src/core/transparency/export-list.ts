import { z } from 'zod';
import type { Crypto, SigningKey } from '../../ports/crypto.ts';
import { canonicalBytes } from '../protocol/canonical-json.ts';
import { purposes } from '../protocol/purposes.ts';

const listSignature = z.strictObject({ publicKey: z.base64(), signature: z.base64() });

/** The list of an export's files, one a line as `sha256sum` writes it, in the order of their names. */
export function exportListText(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

export function signExportList(list: Uint8Array, key: SigningKey): Uint8Array {
  const signature = key.sign(purposes.exportList, list).toBase64();
  return canonicalBytes({ publicKey: key.publicKey.toBase64(), signature });
}

/** The public key that has signed the list, or undefined. Only the one encoding of a signature is taken. */
export async function exportListSigner(
  list: Uint8Array,
  encoded: Uint8Array,
  crypto: Pick<Crypto, 'verify'>,
): Promise<Uint8Array | undefined> {
  try {
    const { publicKey, signature } = listSignature.parse(JSON.parse(new TextDecoder().decode(encoded)));
    const [key, bytes] = [publicKey, signature].map((text) =>
      Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' }),
    ) as [Uint8Array, Uint8Array];
    const again = canonicalBytes({ publicKey: key.toBase64(), signature: bytes.toBase64() });
    if (again.length !== encoded.length || !again.every((byte, i) => byte === encoded[i])) return undefined;
    return (await crypto.verify(key, purposes.exportList, list, bytes)) ? key : undefined;
  } catch {
    return undefined;
  }
}
