import { certificateRequestBytes, certificateResponse, challengeResponse } from '../core/protocol/messages.ts';
import { purposes } from '../core/protocol/purposes.ts';
import type { SigningKey } from '../ports/crypto.ts';
import { type Reply, type Transport, TransportError } from '../ports/transport.ts';
import { RefusedError } from './ends.ts';

/** Asks the coordinator's authority for a certificate, under the key that the coordinator knows this device by. */
export async function requestCertificate(
  transport: Transport,
  asked: { readonly deviceId: string; readonly key: SigningKey; readonly pin: string; readonly request: string },
): Promise<string> {
  const { deviceId, key, pin, request } = asked;
  const { challenge } = challengeResponse.parse(
    bodyOf(await transport.request({ method: 'POST', path: '/v1/challenges', json: { deviceId } })),
  );
  const jsonOver = (channel: string) => {
    const bytes = certificateRequestBytes({ deviceId, challenge, pin, channel, request });
    const proof = key.sign(purposes.certificateRequest, bytes).toBase64();
    return { deviceId, challenge, channel, request, proof };
  };
  const reply = await transport.request({ method: 'POST', path: '/v1/certificates', jsonOver });
  return certificateResponse.parse(bodyOf(reply)).certificate;
}

function bodyOf({ status, body }: Reply): unknown {
  const value = status < 500 ? (JSON.parse(new TextDecoder().decode(body)) as { message?: string }) : {};
  if (status === 200) return value;
  if (status >= 400 && status < 500) throw new RefusedError(value.message ?? `The coordinator answered ${status}`);
  throw new TransportError('network', `The coordinator answered ${status}`);
}
