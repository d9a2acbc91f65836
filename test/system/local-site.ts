// One site under local privacy against a real coordinator on loopback: what it seals, sends and keeps.
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { takePart } from '../../src/client/agent.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { expandUpdate } from '../../src/core/intake/expand.ts';
import type { Update } from '../../src/core/intake/stages.ts';
import type { Question } from '../../src/core/plan/histograms.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Entropy } from '../../src/ports/entropy.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { SiteLedgerStore } from '../../src/ports/site-ledger.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { type Transport, TransportError } from '../../src/ports/transport.ts';
import { createHttpsWorld, tlsIdentity } from './https-world.ts';
import { crypto, d, deflate } from './world.ts';
import { openedOf } from '../protocol/opened.ts';

/** The crypto of a site whose seals are looked through: gives the payloads as the coordinator opens them. */
export function watched(payloads: Uint8Array[]) {
  const seal: typeof crypto.seal = async (publicKey, info) => {
    const context = await crypto.seal(publicKey, info);
    const aead = {
      ...context.aead,
      sealInto(nonce: Uint8Array, plaintext: Uint8Array, target: Uint8Array) {
        payloads.push(plaintext.slice());
        context.aead.sealInto(nonce, plaintext, target);
      },
    };
    return { ...context, aead };
  };
  return { ...crypto, seal };
}

/** A line that is cut under each first delivery. */
function cutLine(transport: Transport, sent: Uint8Array[]): Transport {
  const seen = new Set<string>();
  return {
    ...transport,
    async request(call) {
      if (call.bytes === undefined || !call.path.endsWith('/contributions')) return transport.request(call);
      sent.push(call.bytes.slice());
      const hash = crypto.sha256(call.bytes).toHex();
      if (seen.has(hash)) return transport.request(call);
      seen.add(hash);
      throw new TransportError('network', 'the line was cut');
    },
  };
}

export type Seen = {
  readonly payloads: readonly Uint8Array[];
  /** Every body that was posted as a contribution, repetitions too. */
  readonly sent: readonly Uint8Array[];
  readonly kept: readonly Identity[];
  readonly said: readonly string[];
};

/** Lets one site take part in a whole run of this plan, over a line that is cut once in each round. */
export async function runLocalSite<T>(
  plan: Plan,
  parts: { readonly trainer: Trainer; readonly entropy?: Entropy; readonly siteLedger?: SiteLedgerStore },
  look: (world: Awaited<ReturnType<typeof createHttpsWorld>>, seen: Seen) => Promise<T>,
): Promise<T> {
  const world = await createHttpsWorld({ plan });
  const [payloads, sent, kept, said]: [Uint8Array[], Uint8Array[], Identity[], string[]] = [[], [], [], []];
  try {
    const site = await world.enrolSite();
    await takePart({
      identity: site.identity,
      saveIdentity: async (identity) => void kept.push(structuredClone(identity)),
      pin: tlsIdentity.pin,
      transport: cutLine(site.transport, sent),
      crypto: watched(payloads),
      deflate,
      entropy: parts.entropy ?? createNodeEntropy(),
      ...(parts.siteLedger === undefined ? {} : { siteLedger: parts.siteLedger }),
      trainer: parts.trainer,
      memory: createVolatileSiteMemory(),
      clock: createSystemClock(),
      patienceMs: 60_000,
      say: (text) => void said.push(text),
    });
    return await look(world, { payloads, sent, kept, said });
  } finally {
    await world.close();
  }
}

/** An update as the coordinator reads it. */
export async function readUpdate(
  payload: Uint8Array,
  plan: Plan,
  questions: readonly Question[] = [],
): Promise<Update> {
  const row = await createMemorySpool().begin(d);
  const codec = codecs[plan.aggregation.codec];
  const opened = await expandUpdate(
    openedOf(payload),
    { count: d, isNormalised: false, questions },
    { codec, deflate },
    row,
  );
  if (!opened.ok) throw new Error(`${opened.code}: ${opened.detail}`);
  return opened.value;
}
