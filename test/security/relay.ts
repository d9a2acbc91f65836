import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { exporterOf } from '../../src/core/protocol/channel-binding.ts';
import { tlsIdentity } from '../system/https-world.ts';

/**
 * Somebody in between who holds the coordinator's own TLS key: it speaks TLS to both ends, with the right pin, reads all
 * that passes and may change what goes up. What the coordinator's end of its connection computes it knows too.
 */
export async function createRelay(
  port: number,
  change: (text: string, channel: string) => string = (text) => text,
): Promise<{ readonly port: number; readonly heard: () => string; close(): void }> {
  const sockets = new Set<Socket>();
  let heard = '';
  const server = createServer(
    { ...tlsIdentity, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' },
    (near: TLSSocket) => {
      const far = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: 'X25519MLKEM768' });
      sockets.add(near).add(far);
      near.pause();
      far.once('secureConnect', () => {
        const exporter = exporterOf(far);
        near.on('data', (chunk: Buffer) => {
          const text = chunk.toString('latin1');
          heard += text;
          far.write(Buffer.from(change(text, exporter), 'latin1'));
        });
        near.resume();
      });
      far.on('data', (chunk: Buffer) => near.write(chunk));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => heard,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
