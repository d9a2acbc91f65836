/** What was negotiated on a connection, as this side read it. */
export type Negotiated = { readonly protocol: string; readonly group: string; readonly cipher: string };

export type Reply = {
  readonly status: number;
  readonly body: Uint8Array;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The peer's wall clock when it answered, where it says so. */
  readonly dateMs?: number;
};

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  /** A session or the owner's token: a proof of it for the connection is sent, and not itself. */
  readonly session?: string;
  readonly json?: unknown;
  /** A JSON body that is made for the connection it is sent over: from its TLS exporter, in hexadecimal. */
  readonly jsonOver?: (channel: string) => unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A message of a stream of server-sent events. */
export type StreamEvent = { readonly event: string; readonly id: string | undefined; readonly data: string };

/** Talks to one coordinator over an authenticated, confidential channel. */
export type Transport = {
  request(call: Call): Promise<Reply>;
  /**
   * A request whose answer is large: the body of a reply with status 2xx goes to `receive` as it comes, with the reply's
   * headers, and what came before a cut has been received when it throws.
   */
  fetch(call: Call, receive: (part: Uint8Array, headers: Readonly<Record<string, string>>) => void): Promise<Reply>;
  /** Yields events until the stream ends or `signal` aborts. Throws TransportError when it cannot be opened. */
  events(call: Call, signal: AbortSignal): AsyncIterable<StreamEvent>;
  /** What the newest connection negotiated; null before the first. */
  negotiated(): Negotiated | null;
  close(): void;
};

/** The channel failed. `network`: try again later. `security`: the peer is not who the link names, or too weak. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly kind: 'network' | 'security';

  constructor(kind: 'network' | 'security', message: string) {
    super(message);
    this.kind = kind;
  }
}
