import { createMemoryIdentityStore } from '../../adapters/identity-memory.ts';
import { takePart } from '../../client/agent.ts';
import { enrol } from '../../client/enrol.ts';
import type { Rng } from '../../core/random/rng.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Deflate } from '../../ports/deflate.ts';
import type { SiteMemory } from '../../ports/site-memory.ts';
import type { Trainer } from '../../ports/trainer.ts';
import { type Call, TransportError } from '../../ports/transport.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import { drawLifeMs, drawMs, type Faults } from './faults.ts';
import { createLife, cryptoThrough } from './mortal.ts';
import { createSimulatedTransport, type Traffic } from './network.ts';
import type { NoiseRecord } from './noise-record.ts';
import { createSimulatedEntropy } from './simulated-entropy.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { WireAttack } from './wire-attacks.ts';
import { factsOf } from './trainer-facts.ts';

const patienceMs = 30 * 24 * 3_600_000;
const firstContactMs = 500;
const uploadingShare = 0.3;

/** How it stands with a client. */
export type ClientEnd =
  | { readonly kind: 'running' }
  | { readonly kind: 'ended'; readonly reason: string; readonly contributions: number }
  | { readonly kind: 'failed'; readonly error: unknown };

/** The machine of one client: it enrols, takes part through the real agent, is killed and started again. */
export type ClientHost = { readonly clientId: string; start(): void; end(): ClientEnd };

export function createClientHost(world: {
  readonly clientId: string;
  readonly token: string;
  readonly pin: Uint8Array;
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly faults: Faults;
  readonly host: CoordinatorHost;
  readonly traffic: Traffic;
  readonly deflate: Deflate;
  readonly isCryptoReal: boolean;
  readonly cryptoFor: (rng: Rng) => Crypto;
  readonly trainer: Trainer;
  readonly memory: SiteMemory;
  readonly noise: NoiseRecord;
  readonly wireAttack: WireAttack | undefined;
  readonly onRestart: () => void;
}): ClientHost {
  const { clientId, time, faults, host, traffic, wireAttack, isCryptoReal } = world;
  const store = createMemoryIdentityStore();
  const slowness = 1 + (faults.slowestFactor - 1) * world.rng.child('speed').float();
  /** Some clients send everything as uploads in parts, as large models travel. */
  const isUploading = world.rng.child('upload').float() < uploadingShare;
  const sent: Uint8Array[] = [];
  let lives = 0;
  let end: ClientEnd = { kind: 'running' };

  function start(): void {
    const life = createLife();
    const rng = world.rng.child('life', lives++);
    const tamperRng = rng.child('tamper');

    const transport = createSimulatedTransport({
      host,
      time,
      faults,
      life,
      traffic,
      rng: rng.child('network'),
      tamper: (call) => tampered(call, tamperRng),
    });
    const seeded = world.cryptoFor(rng.child('crypto'));
    const delays = rng.child('delays');
    const crypto = cryptoThrough(wireAttack?.crypto?.(seeded) ?? seeded, (work) => {
      const ms = drawMs(delays, faults.cryptoMs);
      return life.mortal(ms > 0 || isCryptoReal ? time.during(ms, work) : work());
    });
    const clock = { ...time, sleep: (ms: number) => life.mortal(time.sleep(ms)) };
    // Trainers may run on other threads: their results come at the moment that virtual time has for them.
    const train = <T>(work: () => Promise<T>): Promise<T> =>
      life.mortal(time.during(slowness * drawMs(delays, faults.trainingMs), work));
    const trainer: Trainer = {
      ...factsOf(world.trainer),
      async train(task) {
        const result = await train(() => world.trainer.train(task));
        if (task.purpose !== 'personal') world.noise.begin(task.round, clientId);
        return result;
      },
      evaluate: (task) => train(() => world.trainer.evaluate(task)),
    };

    // A dead process writes nothing, and hears nothing of what it wrote.
    const memory: SiteMemory = {
      read: (name) => life.mortal(world.memory.read(name)),
      write: async (name, bytes) => {
        if (!life.isOver()) await life.mortal(world.memory.write(name, bytes));
      },
    };

    async function live(): Promise<ClientEnd> {
      const link = { host: 'coordinator', port: 443, token: world.token, pin: world.pin };
      const identity = await untilReached(() => enrol({ link, name: clientId, store, crypto, transport }), clock.sleep);
      const outcome = await takePart({
        identity,
        saveIdentity: (next) => store.save(next),
        transport,
        crypto,
        trainer,
        memory,
        clock,
        patienceMs,
        pin: world.pin.toHex(),
        deflate: world.deflate,
        entropy: world.noise.of(clientId, createSimulatedEntropy(rng.child('entropy'))),
        say: () => {},
        ...(isUploading ? { wholeBytesMax: 0 } : {}),
      });
      return { kind: 'ended', ...outcome };
    }

    void live()
      .catch((error: unknown): ClientEnd => ({ kind: 'failed', error }))
      .then((outcome) => (end = outcome));
    if (faults.clientLifeMs !== null) {
      time.after(drawLifeMs(rng.child('death'), faults.clientLifeMs), () => {
        if (end.kind !== 'running') return;
        life.end();
        transport.close();
        world.onRestart();
        time.after(drawMs(rng.child('rest'), faults.downtimeMs), start);
      });
    }
  }

  function tampered(call: Call, rng: Rng): Call {
    if (wireAttack?.tamper === undefined || call.bytes === undefined) return call;
    const bytes = wireAttack.tamper(call.bytes, sent, rng);
    sent.push(call.bytes);
    return { ...call, bytes };
  }

  return { clientId, start, end: () => end };
}

/** First contact is repeated for as long as nobody answers. */
async function untilReached<T>(work: () => Promise<T>, sleep: (ms: number) => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransportError) || error.kind !== 'network') throw error;
      await sleep(firstContactMs);
    }
  }
}
