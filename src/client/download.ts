import { type Reply, type Transport, TransportError } from '../ports/transport.ts';

/**
 * One download of content that has a hash: each attempt goes on behind the bytes that have come. The bytes are checked
 * by whoever asked.
 */
export type Download = {
  /** The bytes once they are all there; otherwise the answer that brought none. Throws when the line is cut. */
  attempt(session: string): Promise<Uint8Array | Reply>;
  /** How many bytes have come. */
  received(): number;
};

const bytesMax = 2 ** 32;

/** `etag`: what the content must still be for a range of it to be taken. */
export function createDownload(transport: Pick<Transport, 'fetch'>, path: string, etag: string): Download {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let received = 0;

  /** Where this answer's body begins, and room for all of it. */
  function begin(headers: Readonly<Record<string, string>>): void {
    const length = Number(headers['content-length']);
    const start = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? 'bytes 0-')?.[1]);
    const total = start + length;
    const isOurs = start === 0 || start === received;
    if (!Number.isSafeInteger(total) || total > bytesMax || !isOurs || (start > 0 && bytes?.length !== total)) {
      throw new TransportError('network', 'The coordinator sent a range that was not asked for');
    }
    if (start === 0 && bytes?.length !== total) bytes = new Uint8Array(total);
    received = start;
  }

  return {
    received: () => received,
    async attempt(session) {
      const headers = received === 0 ? undefined : { range: `bytes=${received}-`, 'if-range': `"${etag}"` };
      let isBegun = false;
      const reply = await transport.fetch(
        { method: 'GET', path, session, ...(headers === undefined ? {} : { headers }) },
        (part, answered) => {
          if (!isBegun) begin(answered);
          isBegun = true;
          if (received + part.length > bytes!.length) throw new TransportError('network', 'The answer is too long');
          bytes!.set(part, received);
          received += part.length;
        },
      );
      if (reply.status < 200 || reply.status > 299) return reply;
      if (bytes === undefined || received < bytes.length) throw new TransportError('network', 'The answer was cut off');
      return bytes;
    },
  };
}
