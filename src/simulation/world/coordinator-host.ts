import { type Coordinator, createCoordinator } from '../../coordinator/coordinator.ts';
import { credentialOf } from '../../core/protocol/channel-binding.ts';
import { connectHeaders, createDeviceSurface, type DeviceSurface } from '../../coordinator/http/device-surface.ts';
import { rangeStart } from '../../coordinator/http/range.ts';
import { HttpError } from '../../coordinator/http/routes.ts';
import type { CoordinatorParts } from '../../coordinator/parts.ts';
import type { Snapshot } from '../../coordinator/run-log.ts';
import type { SignedAnnouncement } from '../../core/protocol/messages.ts';
import type { Rng } from '../../core/random/rng.ts';
import { type Call, type Reply, TransportError } from '../../ports/transport.ts';
import type { Device } from '../../ports/store.ts';
import { coordinatorPorts } from './coordinator-ports.ts';
import { drawLifeMs, drawMs, type Faults } from './faults.ts';
import { createLife, type Life } from './mortal.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A kill that a test asks for: at the n-th crash point of the world, counted from 0 over all lives. */
export type PlannedCrash = { readonly point: number };

/** What a world sees of its coordinator. */
export type HostEvents = {
  /** Requests are answered when this has resolved. */
  onStarted(coordinator: Coordinator): Promise<void>;
  /** A receipt leaves for the client when this has resolved. */
  onAcknowledged(contentHash: string): Promise<void>;
  onFailure(error: unknown): void;
};

type Running = {
  readonly life: Life;
  readonly coordinator: Coordinator;
  readonly surface: DeviceSurface;
  /** What ends with the process: requests that it was answering, streams that it was writing. */
  readonly connections: Set<() => void>;
  isListening: boolean;
};

/** The machine on which the coordinator runs: it crashes, comes back, and answers what the network brings. */
export type CoordinatorHost = {
  boot(): void;
  /** The running coordinator, once it listens. */
  current(): Coordinator | undefined;
  /** What the running coordinator has in memory, also while it starts. */
  memory(): Snapshot | undefined;
  request(call: Call): Promise<Reply>;
  /** Opens an event stream: `send` for each message, `onCut` when the process dies. Gives what ends it from outside. */
  listen(call: Call, send: (message: SignedAnnouncement) => void, onCut: () => void): Promise<() => void>;
  /** From here on the coordinator may crash. */
  allowCrashes(isAllowed: boolean): void;
  crashPoints(): number;
  crashes(): number;
};

/** A simulated network has one channel: nobody is in between. */
const channel = '00'.repeat(32);

export function createCoordinatorHost(world: {
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly faults: Faults;
  readonly parts: Omit<CoordinatorParts, 'clock'>;
  readonly isCryptoReal: boolean;
  readonly planned?: PlannedCrash | undefined;
  readonly events: HostEvents;
}): CoordinatorHost {
  const { time, faults, parts, isCryptoReal, planned, events } = world;
  const crashRng = world.rng.child('crash');
  const base = `/v1/orgs/${parts.orgId}/runs/${parts.runId}`;
  let running: Running | undefined;
  let isAllowed = false;
  let crashPoints = 0;
  let crashes = 0;
  let lives = 0;

  function isKilledHere(life: Life): boolean {
    if (life.isOver() || !isAllowed) return life.isOver();
    const index = crashPoints++;
    const isPlanned = planned?.point === index;
    const isDrawn = faults.crashShare > 0 && crashes < faults.crashesMax && crashRng.float() < faults.crashShare;
    if (isPlanned || isDrawn) crash();
    return isPlanned || isDrawn;
  }

  function crash(): void {
    if (running === undefined) return;
    const { life, connections } = running;
    running = undefined;
    crashes += 1;
    life.end();
    for (const cut of Array.from(connections)) cut();
    time.after(drawMs(crashRng, faults.downtimeMs), boot);
  }

  function boot(): void {
    const life = createLife();
    const number = lives++;
    const ports = coordinatorPorts(parts, {
      life,
      time,
      rng: world.rng.child('disk', number),
      faults,
      isCryptoReal,
      isKilledHere: () => isKilledHere(life),
    });
    const coordinator = createCoordinator(ports);
    const surface = createDeviceSurface(coordinator, ports);
    const now: Running = { life, coordinator, surface, connections: new Set(), isListening: false };
    running = now;
    const report = (error: unknown) => {
      if (!life.isOver()) events.onFailure(error);
    };
    coordinator.ended.catch(report);
    begin(now).catch(report);
    if (faults.crashEveryMs !== null) {
      time.after(drawLifeMs(crashRng, faults.crashEveryMs), () => {
        if (running === now && isAllowed && crashes < faults.crashesMax) crash();
      });
    }
  }

  async function begin(now: Running): Promise<void> {
    await now.coordinator.start();
    await events.onStarted(now.coordinator);
    now.isListening = true;
  }

  function reach(): Running {
    if (running?.isListening !== true) throw new TransportError('network', 'connection refused');
    return running;
  }

  /** Answers unless the process dies first. */
  function answered<T>(now: Running, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cut = () => reject(new TransportError('network', 'connection reset'));
      now.connections.add(cut);
      const settle = (done: () => void) => {
        if (now.connections.delete(cut)) done();
      };
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error as Error)),
      );
    });
  }

  async function reply({ coordinator, surface }: Running, call: Call): Promise<Reply> {
    coordinator.countBytes('up', call.bytes?.length ?? (call.json === undefined ? 0 : jsonBytes(call.json).length));
    const answer = await route(surface, call).catch((error: unknown) => {
      if (!(error instanceof HttpError)) throw error;
      return { status: error.status, body: jsonBytes({ error: error.code, message: error.message }) };
    });
    coordinator.countBytes('down', answer.body.length);
    return answer;
  }

  async function route(surface: DeviceSurface, call: Call): Promise<Reply> {
    const { method, path, session } = call;
    const ok = (value: unknown, status = 200): Reply => ({ status, body: jsonBytes(value) });
    if (path === '/v1/enrol') return ok(await surface.enrol(call.jsonOver?.(channel), channel));
    if (path === '/v1/challenges') return ok(surface.challenge(call.json));
    if (path === '/v1/sessions') return ok(await surface.openSession(call.jsonOver?.(channel), channel));
    const device = surface.deviceOf(credentialOf(session ?? '', channel), channel);
    if (device === undefined) throw new HttpError(401, 'not-authenticated', 'This route needs a valid session');
    if (method === 'POST' && path === `${base}/contributions`) {
      const receipt = await surface.contribute(device, call.bytes!);
      await events.onAcknowledged(receipt.contentHash);
      return ok(receipt, 201);
    }
    if (path.startsWith(`${base}/contributions/`)) return upload(surface, device, call);
    if (method === 'GET' && path.startsWith(`${base}/models/`)) return model(surface, call);
    if (method === 'POST' && path === `${base}/declines`) return ok(await surface.decline(device, call.json));
    throw new HttpError(404, 'not-found', `There is no route ${method} ${path}`);
  }

  async function upload(
    surface: DeviceSurface,
    device: Device,
    { method, path, headers, bytes }: Call,
  ): Promise<Reply> {
    const name = path.slice(`${base}/contributions/`.length);
    const offset = Number(headers?.['upload-offset'] ?? 0);
    const body = method === 'PATCH' ? surface.continueUpload(device, name, offset, [bytes!]) : undefined;
    const answer = await (body ?? surface.beginUpload(device, name, bytes!));
    if ('contentHash' in answer) await events.onAcknowledged(answer.contentHash);
    return { status: 'contentHash' in answer ? 201 : 200, body: jsonBytes(answer) };
  }

  async function model(surface: DeviceSurface, { path, headers }: Call): Promise<Reply> {
    const { size, read } = await surface.model(path.slice(`${base}/models/`.length));
    const start = rangeStart(headers?.['range'], size);
    const parts: Uint8Array[] = [];
    for await (const part of read(start)) parts.push(part.slice());
    const range = { 'content-range': `bytes ${start}-${size - 1}/${size}`, 'content-length': String(size - start) };
    return { status: start === 0 ? 200 : 206, headers: range, body: Buffer.concat(parts) };
  }

  return {
    boot,
    current: () => (running?.isListening === true ? running.coordinator : undefined),
    memory: () => running?.coordinator.snapshot(),
    request: async (call) => {
      const now = reach();
      return answered(now, reply(now, call));
    },
    async listen(call, send, onCut) {
      const now = reach();
      const device = now.surface.deviceOf(credentialOf(call.session ?? '', channel), channel);
      if (device === undefined) throw new TransportError('network', 'status 401');
      now.connections.add(onCut);
      const disconnect = now.surface.listen(
        device,
        connectHeaders((name) => call.headers?.[name]),
        (message) => {
          now.coordinator.countBytes('down', JSON.stringify(message).length);
          send(message);
        },
      );
      return () => {
        if (now.connections.delete(onCut) && !now.life.isOver()) disconnect();
      };
    },
    allowCrashes(allowed) {
      isAllowed = allowed;
    },
    crashPoints: () => crashPoints,
    crashes: () => crashes,
  };
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
