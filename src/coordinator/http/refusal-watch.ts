import type { Server } from 'node:https';
import type { RefusalNotes } from './refusal-notes.ts';

/** Cut lines: they happen, and nobody has refused anything. */
const cuts = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'HPE_INVALID_EOF_STATE']);

const codeOf = (error: Error) => (error as NodeJS.ErrnoException).code ?? 'unknown';

/** Journals what is refused below HTTP: handshakes that offer nothing we speak, and bytes that are no request in time. */
export function watchRefusals(server: Server, notes: RefusalNotes): void {
  server.on('tlsClientError', (error) => {
    if (codeOf(error).startsWith('ERR_')) notes.add('request.refused', 'handshake', { found: codeOf(error) });
  });
  server.on('clientError', (error) => {
    const found = codeOf(error);
    if (cuts.has(found)) return;
    const isLate = found === 'ERR_HTTP_REQUEST_TIMEOUT';
    const isLarge = found === 'HPE_HEADER_OVERFLOW';
    notes.add('request.refused', isLate ? 'too-slow' : isLarge ? 'headers-too-large' : 'no-http', { found });
  });
}
