import { challengeResponse, sessionProofBytes, sessionResponse } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import { refusalIn } from '../core/protocol/refusal-text.ts';
import type { SigningKey } from '../ports/crypto.ts';
import { type Transport, TransportError } from '../ports/transport.ts';
import { RefusedError, VersionError } from './ends.ts';

/** Opens a session: asks for a challenge and signs it. */
export async function openSession(
  transport: Transport,
  { deviceId, key, pin }: { readonly deviceId: string; readonly key: SigningKey; readonly pin: string },
): Promise<string> {
  const asked = await transport.request({ method: 'POST', path: '/v1/challenges', json: { deviceId } });
  if (asked.status === 404) throw new VersionError('it has no /v1/challenges');
  const { challenge } = challengeResponse.parse(json(asked.body, asked.status));
  const jsonOver = (channel: string) => {
    const proof = key.sign(purposes.session, sessionProofBytes({ deviceId, challenge, pin, channel })).toBase64();
    return { deviceId, challenge, channel, proof };
  };
  const reply = await transport.request({ method: 'POST', path: '/v1/sessions', jsonOver });
  if (reply.status === 400)
    throw new TransportError('security', `The coordinator refused to open a session: ${refusalIn(reply.body)}`);
  if (reply.status === 403) throw new RefusedError(refusalIn(reply.body));
  // 409, the challenge has expired or the coordinator was restarted since: `json` takes it for a cut, and it is tried again.
  if (reply.status === 401)
    throw new RefusedError('The coordinator does not know this device: join again with a new link');
  return sessionResponse.parse(json(reply.body, reply.status)).session;
}

function json(body: Uint8Array, status: number): unknown {
  if (status !== 200) throw new TransportError('network', `The coordinator answered ${status}`);
  return JSON.parse(new TextDecoder().decode(body));
}
