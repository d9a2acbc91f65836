import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line on the way to a port of this machine: TCP, cut by resets. */
export type CutLine = {
  readonly port: number;
  cuts(): number;
  /** Bytes that went through, both ways together. */
  bytes(): number;
  close(): Promise<void>;
};

/** Each time so many more bytes have gone through, every connection on the line is reset, until it was cut so often. */
export async function openCutLine(
  target: number,
  { everyBytes, cutsMax }: { readonly everyBytes: number; readonly cutsMax: number },
): Promise<CutLine> {
  const sockets = new Set<Socket>();
  let bytes = 0;
  let cuts = 0;

  function count(length: number): void {
    bytes += length;
    if (cuts >= cutsMax || bytes < (cuts + 1) * everyBytes) return;
    cuts += 1;
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  }

  function join(from: Socket, to: Socket): void {
    sockets.add(from);
    from.on('data', (part: Uint8Array) => {
      count(part.length);
      if (!to.destroyed && !to.write(part)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }

  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    join(near, far);
    join(far, near);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cuts: () => cuts,
    bytes: () => bytes,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
