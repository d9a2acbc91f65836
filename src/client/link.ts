import { type ChannelProfile, channelProfileIds } from '../core/protocol/channel-profile.ts';
import { suiteDefault, type PlainSuiteId, plainSuiteIds } from '../core/protocol/suite.ts';

/** What an invitation's link says: where the coordinator is, which TLS key it holds, and the single-use token. */
export type Link = {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly pin: Uint8Array;
  /** SHA-256 of the coordinator's root key, which certifies what signs announcements; absent: whatever it says at enrolment. */
  readonly root?: Uint8Array | undefined;
  /** Which channel to speak; absent: the default. */
  readonly profile?: ChannelProfile | undefined;
  /** The plan's suite, which says what key the device makes; absent: the default. */
  readonly suite?: PlainSuiteId | undefined;
};

/**
 * Writes a link: `https://HOST:PORT/join#v=1&token=…&root=sha256:…&pin=sha256:…`. The part behind # never leaves the client.
 * The root stands before the pin, without which no link is read: one that was cut does not lose the root alone.
 */
export function formatLink({ host, port, token, pin, root, profile = 'default', suite = suiteDefault }: Link): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const hashText = (hash: Uint8Array) => `sha256:${hash.toBase64({ alphabet: 'base64url', omitPadding: true })}`;
  const rootText = root === undefined ? '' : `&root=${hashText(root)}`;
  return `https://${name}:${port}/join#v=1&token=${token}${rootText}&pin=${hashText(pin)}${profile === 'default' ? '' : `&channel=${profile}`}${suite === suiteDefault ? '' : `&suite=${suite}`}`;
}

/** A link that cannot be used, and why. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** Reads a link. Without the pin enrolment would trust anyone, so a link without one is refused. */
export function parseLink(text: string): Link {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw new LinkError(
      `Cannot use the link as it must be https://HOST:PORT/join#…: current value is "${shorten(text)}"`,
    );
  }
  const fields = new URLSearchParams(url.hash.slice(1));
  const refuse = (wish: string, value: string | null) => {
    throw new LinkError(`Cannot use the link as ${wish}: current value is "${shorten(value ?? '')}"`);
  };
  if (url.protocol !== 'https:' || url.pathname !== '/join') refuse('it must begin with https://HOST:PORT/join', text);
  if (fields.get('v') !== '1') refuse('its version (v) must be 1', fields.get('v'));
  const token = fields.get('token') ?? '';
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(token))
    refuse('its token must be whole; was the link cut when it was copied?', token);
  const hashIn = (name: string) => /^sha256:([A-Za-z0-9_-]{43})$/.exec(fields.get(name) ?? '')?.[1];
  const [pin, root] = [hashIn('pin'), hashIn('root')];
  if (pin === undefined) refuse("its pin must be the server's key as sha256:…; was the link cut?", fields.get('pin'));
  if (fields.has('root') && root === undefined)
    refuse("its root must be the coordinator's root key as sha256:…", fields.get('root'));
  const channel = fields.get('channel');
  const profile = channelProfileIds.find((id) => id === channel);
  if (channel !== null && profile === undefined) refuse('its channel must be one that this release has', channel);
  const suite = fields.get('suite');
  const known = plainSuiteIds.find((id) => String(id) === suite);
  if (suite !== null && known === undefined) refuse('its suite must be one that this release has', suite);
  return {
    ...(known === undefined || known === suiteDefault ? {} : { suite: known }),
    ...(profile === undefined || profile === 'default' ? {} : { profile }),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port === '' ? 443 : url.port),
    token,
    pin: Uint8Array.fromBase64(pin!, { alphabet: 'base64url' }),
    ...(root === undefined ? {} : { root: Uint8Array.fromBase64(root, { alphabet: 'base64url' }) }),
  };
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
