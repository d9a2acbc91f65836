import { connect } from 'node:tls';
import { exporterOf } from '../../src/core/protocol/channel-binding.ts';

/**
 * Sends text over TLS as it is, as a hostile program would, and gives what comes back until one whole answer is there or
 * the other side closes; with `endAfterMs` it goes away in the middle. The text may be made for the connection's exporter.
 */
export function sendRaw(
  port: number,
  text: string | ((channel: string) => string),
  options: { readonly endAfterMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: 'X25519MLKEM768' });
    socket.setEncoding('utf8');
    socket.on('secureConnect', () => {
      const channel = () => exporterOf(socket);
      socket.write(typeof text === 'string' ? text : text(channel()));
      if (options.endAfterMs !== undefined) setTimeout(() => socket.destroy(), options.endAfterMs);
    });
    socket.on('data', (chunk: string) => {
      answer += chunk;
      // One whole answer is enough: the connection may be kept open for the next request.
      if (/\r\n\r\n/.test(answer) && options.endAfterMs === undefined) setTimeout(() => socket.destroy(), 20);
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
    );
  });
}
