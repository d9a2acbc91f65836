import { createHttpsTransport } from '../adapters/transport-https.ts';
import { clientChannel } from '../core/protocol/channel-profile.ts';
import { type Call, type StreamEvent, TransportError } from '../ports/transport.ts';
import { pathsOf, readSettings } from './coordinator-folder.ts';
import { Failure } from './failure.ts';
import { openFolderVault } from './folder-vault.ts';

/** Talks to the running coordinator of a folder with the owner token that lies in it. */
export type OwnerClient = {
  call<T>(call: Pick<Call, 'method' | 'path' | 'json'>): Promise<T>;
  journal(signal: AbortSignal): AsyncIterable<StreamEvent>;
  close(): void;
};

export async function createOwnerClient(folder: string): Promise<OwnerClient> {
  const paths = pathsOf(folder);
  const settings = await readSettings(paths);
  if (settings.port === undefined) {
    throw new Failure(
      'network',
      `Cannot reach the coordinator of ${folder} as it has never been started: "qflare serve ${folder}"`,
    );
  }
  const vault = await openFolderVault(paths);
  const session = new TextDecoder().decode(await vault.secret('owner-token'));
  const transport = createHttpsTransport({
    host: reachable(settings.bind ?? '127.0.0.1'),
    port: settings.port,
    pin: Uint8Array.fromHex(settings.pin),
    ...clientChannel(settings.profile ?? 'default'),
  });
  return {
    async call<T>(call: Pick<Call, 'method' | 'path' | 'json'>): Promise<T> {
      const reply = await transport.request({ ...call, session }).catch((error: unknown) => {
        if (!(error instanceof TransportError) || error.kind !== 'network') throw error;
        throw new Failure(
          'network',
          `The coordinator of ${folder} is not running: "qflare serve ${folder}" starts it (${error.message})`,
        );
      });
      const body = JSON.parse(new TextDecoder().decode(reply.body)) as { error?: string; message?: string };
      if (reply.status !== 200) {
        const isSecurity = reply.status === 401 || body.error === 'not-anchored';
        throw new Failure(isSecurity ? 'security' : 'plan', body.message ?? `status ${reply.status}`);
      }
      return body as T;
    },
    journal: (signal) => transport.events({ method: 'GET', path: '/v1/admin/journal', session }, signal),
    close: () => transport.close(),
  };
}

/** A coordinator that listens on every address is reached on the loopback one. */
function reachable(bind: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[bind] ?? bind;
}

/** Opens a client, uses it and closes it. */
export async function asOwner<T>(folder: string, use: (client: OwnerClient) => Promise<T>): Promise<T> {
  const client = await createOwnerClient(folder);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
