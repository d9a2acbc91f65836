import type { SignedAnnouncement } from '../../core/protocol/messages.ts';
import type { Rng } from '../../core/random/rng.ts';
import { type Call, type Reply, type StreamEvent, type Transport, TransportError } from '../../ports/transport.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import { drawLifeMs, drawMs, type Faults } from './faults.ts';
import type { Life } from './mortal.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How long a sender waits for a reply that was lost, and how long an end may go on with a connection that is dead. */
const patienceMs = { min: 500, max: 10_000 };
const halfOpenMs = { min: 0, max: 30_000 };

/** What the network did, for the report of a world. */
export type Traffic = { requests: number; dropped: number; duplicated: number; cut: number };

/**
 * One client's way to the coordinator: delays, loses, repeats and reorders requests, cuts event streams.
 *
 * Within an event stream messages keep their order, as TLS keeps it; a message lost there is a stream that is cut.
 */
export function createSimulatedTransport(world: {
  readonly host: CoordinatorHost;
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly faults: Faults;
  readonly life: Life;
  readonly traffic: Traffic;
  /** What is really sent: a hostile client changes its own bytes on the way. */
  readonly tamper: (call: Call) => Call;
}): Transport {
  const { host, time, rng, faults, life, traffic, tamper } = world;
  const chance = (share: number) => share > 0 && rng.float() < share;

  async function travel(): Promise<void> {
    const ms = drawMs(rng, faults.latencyMs);
    if (ms > 0) await life.mortal(time.sleep(ms));
  }

  /** A message that was lost shows to the one who waits for it as a cut connection, after a while. */
  async function mayBeLost(what: string): Promise<void> {
    if (!chance(faults.dropShare)) return;
    traffic.dropped += 1;
    await life.mortal(time.sleep(drawMs(rng, patienceMs)));
    throw new TransportError('network', `${what} was lost`);
  }

  async function request(asked: Call): Promise<Reply> {
    const call = tamper(asked);
    traffic.requests += 1;
    if (call.method === 'PATCH') await mayBeCut(call);
    await mayBeLost('the request');
    await travel();
    if (chance(faults.duplicateShare)) {
      traffic.duplicated += 1;
      const copy = call.bytes === undefined ? call : { ...call, bytes: call.bytes.slice() };
      time.after(rng.float() * faults.duplicateDelayMs, () => {
        host.request(copy).catch(() => {});
      });
    }
    const reply = await life.mortal(host.request(call));
    await mayBeLost('the reply');
    await travel();
    return reply;
  }

  /** A large body may be cut anywhere: its first part arrives, the rest does not, and neither does an answer. */
  async function mayBeCut(call: Call): Promise<void> {
    if (call.bytes === undefined || !chance(faults.dropShare)) return;
    traffic.cut += 1;
    await travel();
    host.request({ ...call, bytes: call.bytes.slice(0, rng.below(call.bytes.length)) }).catch(() => {});
    await mayBeLost('the rest of the request');
    throw new TransportError('network', 'the line was cut in the middle of a body');
  }

  /** The body of an answer, which may be cut anywhere too. */
  async function fetch(call: Call, receive: Parameters<Transport['fetch']>[1]): Promise<Reply> {
    const reply = await request(call);
    if (reply.status < 200 || reply.status > 299) return reply;
    const isCut = chance(faults.dropShare);
    receive(isCut ? reply.body.subarray(0, rng.below(reply.body.length)) : reply.body, reply.headers ?? {});
    if (!isCut) return { ...reply, body: new Uint8Array() };
    traffic.cut += 1;
    throw new TransportError('network', 'the line was cut in the middle of an answer');
  }

  async function* events(call: Call, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    await mayBeLost('the request');
    await travel();
    const inbox = createInbox();
    let lastMs = 0;
    let isCut = false;

    const deliver = (message: SignedAnnouncement) => {
      if (isCut) return;
      const event = { event: 'announcement', id: undefined, data: JSON.stringify(message) };
      const arrival = Math.max(lastMs, time.monotonicMs() + drawMs(rng, faults.latencyMs));
      lastMs = arrival;
      if (arrival === time.monotonicMs()) inbox.put(event);
      else time.after(arrival - time.monotonicMs(), () => inbox.put(event));
    };
    const close = await host.listen(call, deliver, () => {
      isCut = true;
      time.after(drawMs(rng, faults.latencyMs), () => inbox.end(new TransportError('network', 'connection reset')));
    });
    if (faults.streamLifeMs !== null) {
      time.after(drawLifeMs(rng, faults.streamLifeMs), () => {
        if (isCut) return;
        isCut = true;
        traffic.cut += 1;
        time.after(drawMs(rng, halfOpenMs), close);
        time.after(drawMs(rng, halfOpenMs), () => inbox.end(new TransportError('network', 'connection lost')));
      });
    }
    streams.add(close);
    signal.addEventListener('abort', () => inbox.end());
    try {
      for (;;) {
        const event = await life.mortal(inbox.take());
        if (event === undefined) return;
        yield event;
      }
    } finally {
      isCut = true;
      streams.delete(close);
      time.after(drawMs(rng, faults.latencyMs), close);
    }
  }

  const streams = new Set<() => void>();
  return {
    request,
    fetch,
    events,
    negotiated: () => ({ protocol: 'simulated', group: 'simulated', cipher: 'simulated' }),
    /** The process is gone: its machine closes what it had open. */
    close() {
      for (const close of streams) time.after(drawMs(rng, faults.latencyMs), close);
      streams.clear();
    },
  };
}

type Inbox = {
  put(event: StreamEvent): void;
  end(error?: Error): void;
  /** The next event; undefined at the end of the stream. */
  take(): Promise<StreamEvent | undefined>;
};

function createInbox(): Inbox {
  const waiting: StreamEvent[] = [];
  let end: { readonly error: Error | undefined } | undefined;
  let wake: (() => void) | undefined;

  function notify(): void {
    wake?.();
    wake = undefined;
  }

  return {
    put(event) {
      if (end !== undefined) return;
      waiting.push(event);
      notify();
    },
    end(error) {
      end ??= { error };
      notify();
    },
    async take() {
      while (waiting.length === 0 && end === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (waiting.length > 0) return waiting.shift();
      if (end!.error !== undefined) throw end!.error;
      return undefined;
    },
  };
}
