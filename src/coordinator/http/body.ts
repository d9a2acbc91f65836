import type { IncomingMessage } from 'node:http';
import { CutError } from '../uploads.ts';
import { HttpError } from './routes.ts';

/** Reads a raw body into one array of the announced length. Refuses one that is larger than allowed, or unannounced. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const length = Number(request.headers['content-length']);
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new HttpError(411, 'length-required', 'Cannot take the body as its content-length must be given');
  }
  if (length > bytesMax) {
    throw new HttpError(
      413,
      'too-large',
      `Cannot take the body as it must be at most ${bytesMax} bytes: it is ${length}`,
    );
  }
  const body = new Uint8Array(length);
  let offset = 0;
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      if (offset + chunk.length > length) throw new HttpError(400, 'malformed', 'The body is longer than announced');
      body.set(chunk, offset);
      offset += chunk.length;
    }
  } catch (error) {
    // A client that goes away in the middle is no fault of the coordinator and no line in its log.
    throw error instanceof HttpError ? error : new HttpError(400, 'malformed', 'The body was cut off');
  }
  if (offset < length) throw new HttpError(400, 'malformed', 'The body is shorter than announced');
  return body;
}

/** The body of a request as it comes. One that is cut off ends in a CutError: what came before counts. */
export async function* bodyParts(request: IncomingMessage, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  try {
    const parts = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const part of parts) {
      count(part.length);
      yield part;
    }
  } catch {
    throw new CutError('the body was cut off');
  } finally {
    // Whoever has seen enough answers at once; the client hears it when the rest is off the line.
    request.resume();
  }
}
