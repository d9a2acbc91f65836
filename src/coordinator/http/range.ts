import { HttpError } from './routes.ts';

/**
 * Where an answer begins by its `Range` header: 0 without one, or where it asks for something else than all bytes from
 * one on, which is to be ignored.
 *
 * Errors: HttpError 416 when there is no such byte.
 * Source: RFC 9110, section 14.
 */
export function rangeStart(header: string | undefined, size: number): number {
  const match = /^bytes=(\d{1,15})-$/.exec(header ?? '');
  if (match === null) return 0;
  const start = Number(match[1]);
  if (start >= size) throw new HttpError(416, 'no-such-range', `There are ${size} bytes: none from ${start} on`);
  return start;
}
