import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Device } from '../../ports/store.ts';

/** Who may call a route. Every route has one; the server checks it before the handler runs. */
export type Role = 'public' | 'device' | 'owner';

export type Call = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** The authenticated device, on routes of devices. */
  readonly device: Device;
};

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly role: Role;
  readonly summary: string;
  handle(call: Call): unknown;
};

/** An answer that is an error: a status, a code and a sentence. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
