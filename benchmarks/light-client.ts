import { join } from 'node:path';
import { createFileIdentityStore } from '../src/adapters/identity-file.ts';
import { openKeyVault } from '../src/node/key-vault.ts';
import { createHttpsTransport } from '../src/adapters/transport-https.ts';
import { enrol } from '../src/client/enrol.ts';
import { parseLink } from '../src/client/link.ts';
import { openSession } from '../src/client/session.ts';
import { createDelivery } from '../src/client/upload.ts';
import { encodePayload } from '../src/core/protocol/payload.ts';
import { type Announcement, signedAnnouncement } from '../src/core/protocol/messages.ts';
import { sealEnvelope } from '../src/core/protocol/seal.ts';
import type { Crypto } from '../src/ports/crypto.ts';

/** Lets so many go on at a time. */
export function createGate(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let count = 0;
  return async (work) => {
    if (count >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    count += 1;
    try {
      return await work();
    } finally {
      count -= 1;
      waiting.shift()?.();
    }
  };
}

/**
 * A client for load: it reads models without keeping them and sends one update, the same for all. Everything on the
 * coordinator's side is what an agent causes: session, download, head, chunks, receipt.
 */
export async function runLightClient(options: {
  readonly link: string;
  readonly stateFolder: string;
  readonly name: string;
  readonly crypto: Crypto;
  readonly codec: number;
  readonly update: Uint8Array;
  readonly gate: ReturnType<typeof createGate>;
}): Promise<void> {
  const { crypto, name, gate } = options;
  const link = parseLink(options.link);
  const transport = createHttpsTransport({ host: link.host, port: link.port, pin: link.pin, group: 'X25519MLKEM768' });
  const unlocking = { kind: 'key-file', bytes: new Uint8Array(32) } as const;
  const { atRest } = await openKeyVault(join(options.stateFolder, 'keys'), unlocking, crypto);
  const store = createFileIdentityStore(options.stateFolder, atRest);
  const identity = await enrol({ link, name, store, crypto, transport });
  const key = crypto.importSigningKey(Uint8Array.fromBase64(identity.signingSeed));
  const session = await openSession(transport, { deviceId: identity.deviceId, key, pin: link.pin.toHex() });
  const base = `/v1/orgs/${identity.orgId}/runs/${identity.runId}`;
  const metrics = encodePayload({ examples: 1, lossSum: 1, correctCount: 1 }, new Uint8Array());
  const done = new Set<string>();
  const end = new AbortController();

  async function work(asked: Announcement): Promise<void> {
    await transport.fetch({ method: 'GET', path: `${base}/models/${asked.baseModel}`, session }, () => {});
    const isUpdate = asked.collects === 'update';
    const envelope = await sealEnvelope(
      {
        kind: asked.collects,
        suite: asked.suite as 1,
        codec: isUpdate ? options.codec : 0,
        orgId: asked.orgId,
        runId: asked.runId,
        deviceId: asked.deviceId,
        round: asked.round,
        baseModel: Uint8Array.fromHex(asked.baseModel),
        layout: Uint8Array.fromHex(asked.layout),
      },
      isUpdate ? options.update : metrics,
      { round: Uint8Array.fromBase64(asked.roundKey), device: key },
      crypto,
    );
    const deliver = createDelivery(envelope, {
      transport,
      path: `${base}/contributions`,
      session: () => session,
      contentHash: () => crypto.sha256(envelope).toHex(),
    });
    const delivery = await deliver();
    const status = delivery.kind === 'answered' ? delivery.reply.status : 0;
    if (status !== 201) throw new Error(`${name}: the coordinator answered ${status}`);
  }

  let failure: unknown;
  const { protocol, group, cipher } = transport.negotiated()!;
  const headers = { 'qflare-tls': `${protocol} ${group} ${cipher}` };
  for await (const { data } of transport.events(
    { method: 'GET', path: `${base}/events`, session, headers },
    end.signal,
  )) {
    const { announcement } = signedAnnouncement.parse(JSON.parse(data));
    if (announcement.state === 'done') break;
    const place = `${announcement.round}/${announcement.phaseId}`;
    if (announcement.state !== 'work' || done.has(place)) continue;
    done.add(place);
    gate(() => work(announcement)).catch((error: unknown) => {
      failure = error;
      end.abort();
    });
  }
  transport.close();
  if (failure !== undefined) throw failure;
}
