import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { channelBinding } from '../../core/protocol/channel-binding.ts';

const known = new WeakMap<Socket, string>();

/** The TLS exporter of a connection, by the server's own end of it, in hexadecimal. */
export function channelOf(socket: Socket): string {
  const before = known.get(socket);
  if (before !== undefined) return before;
  const { label, bytes } = channelBinding;
  const channel = (socket as TLSSocket).exportKeyingMaterial(bytes, label, Buffer.alloc(0)).toString('hex');
  known.set(socket, channel);
  return channel;
}
