import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { exporterOf } from '../../core/protocol/channel-binding.ts';

const known = new WeakMap<Socket, string>();

/** The TLS exporter of a connection, by the server's own end of it, in hexadecimal. */
export function channelOf(socket: Socket): string {
  const before = known.get(socket);
  if (before !== undefined) return before;
  const channel = exporterOf(socket as TLSSocket);
  known.set(socket, channel);
  return channel;
}
