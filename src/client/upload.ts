import { parseHead, wholeBytesMax } from '../core/protocol/envelope.ts';
import { uploadState } from '../core/protocol/messages.ts';
import type { Reply, Transport } from '../ports/transport.ts';

/** How an attempt to deliver an envelope went: the answer to it, or that it is to be tried again. */
export type Delivery =
  | { readonly kind: 'answered'; readonly reply: Reply }
  /** `hasMoved`: bytes have arrived since the last attempt. */
  | { readonly kind: 'again'; readonly hasMoved: boolean };

/**
 * Delivers one envelope: in one request where it is small, otherwise head first and then from where the coordinator
 * stands. Each attempt goes on where the last was cut; delivering twice is no harm.
 */
export function createDelivery(
  envelope: Uint8Array,
  context: {
    readonly transport: Pick<Transport, 'request'>;
    /** `…/contributions` */
    readonly path: string;
    readonly session: () => string;
    readonly contentHash: () => string;
    /** Where uploads begin; smaller only to try them with small envelopes. */
    readonly wholeBytesMax?: number | undefined;
  },
): () => Promise<Delivery> {
  const { transport, path, session } = context;
  const isWhole = envelope.length <= (context.wholeBytesMax ?? wholeBytesMax);
  let lastOffset = -1;

  async function whole(): Promise<Delivery> {
    const reply = await transport.request({ method: 'POST', path, session: session(), bytes: envelope });
    return { kind: 'answered', reply };
  }

  async function inParts(): Promise<Delivery> {
    const head = parseHead(envelope);
    if (!head.ok) throw new RangeError(`Cannot send an envelope as it must have a head: ${head.detail}`);
    const at = `${path}/${context.contentHash()}`;
    const bytes = envelope.subarray(0, head.value.headBytes);
    const begun = await transport.request({ method: 'PUT', path: at, session: session(), bytes });
    if (isElsewhere(begun)) return { kind: 'again', hasMoved: false };
    if (begun.status !== 200) return { kind: 'answered', reply: begun };
    const { offset } = uploadState.parse(JSON.parse(new TextDecoder().decode(begun.body)));
    const hasMoved = offset > lastOffset;
    lastOffset = offset;
    const headers = { 'upload-offset': String(offset) };
    try {
      const reply = await transport.request({
        method: 'PATCH',
        path: at,
        session: session(),
        headers,
        bytes: envelope.subarray(offset),
      });
      // 200: not all of it came.
      return reply.status === 200 || isElsewhere(reply) ? { kind: 'again', hasMoved } : { kind: 'answered', reply };
    } catch (error) {
      if (!hasMoved) throw error;
      return { kind: 'again', hasMoved };
    }
  }

  return isWhole ? whole : inParts;
}

/** An older request was still at work, or the coordinator does not know the upload any more. */
function isElsewhere({ status, body }: Reply): boolean {
  if (status !== 409) return false;
  try {
    return (JSON.parse(new TextDecoder().decode(body)) as { error?: unknown }).error === 'upload-elsewhere';
  } catch {
    return false;
  }
}
