import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** An end of a TLS connection, as Node has it. */
type TlsEnd = { exportKeyingMaterial(length: number, label: string, context: Uint8Array): Uint8Array };

/** What both ends of one connection compute and nobody in between does, in hexadecimal: the exporter of RFC 9266. */
export function exporterOf(end: TlsEnd): string {
  return end.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', new Uint8Array(0)).toHex();
}

const context = new TextEncoder().encode('qflare/session-channel/v1');

/** The text of a session: 32 secret bytes. It travels once, over the connection whose ends have authenticated. */
export function sessionText(secret: Uint8Array): string {
  return `session.${secret.toBase64({ alphabet: 'base64url', omitPadding: true })}`;
}

/**
 * What is sent in place of a session, or of the owner's token: its name and a proof that the sender holds it, for one
 * connection only.
 *
 * Formula:  id ‖ mac,  id = SHA-256(session),  mac = HMAC-SHA256(session, "qflare/session-channel/v1" ‖ channel)
 * Promises: whoever reads it can use it on no other connection: the exporter of TLS 1.3 differs there.
 * Source:   RFC 9266, section 2; the idea of RFC 8471 (token binding).
 */
export function credentialOf(token: string, channel: string): string {
  return `${sessionId(token)}.${sessionMac(token, channel)}`;
}

/** A credential's two parts, or undefined where it has another form. */
export function parseCredential(credential: string): { readonly id: string; readonly mac: string } | undefined {
  const match = /^([0-9a-f]{64})\.([0-9a-f]{64})$/.exec(credential);
  return match === null ? undefined : { id: match[1]!, mac: match[2]! };
}

export function sessionId(session: string): string {
  return sha256(new TextEncoder().encode(session)).toHex();
}

/** The proof of a session for the channel with this exporter, in hexadecimal. */
export function sessionMac(session: string, channel: string): string {
  const message = new Uint8Array([...context, ...Uint8Array.fromHex(channel)]);
  return hmac(sha256, new TextEncoder().encode(session), message).toHex();
}

/** Whether a credential is the one of this session or token for the channel with this exporter. */
export function proves(
  credential: string,
  token: string,
  channel: string,
  crypto: { isEqual(a: Uint8Array, b: Uint8Array): boolean },
): boolean {
  const said = parseCredential(credential);
  if (said === undefined) return false;
  const isNamed = crypto.isEqual(Uint8Array.fromHex(said.id), Uint8Array.fromHex(sessionId(token)));
  return crypto.isEqual(Uint8Array.fromHex(said.mac), Uint8Array.fromHex(sessionMac(token, channel))) && isNamed;
}
