import { parseCredential, proves, sessionId, sessionText } from '../../core/protocol/channel-binding.ts';
import { sessionProofBytes } from '../../core/protocol/messages.ts';
import { purposes } from '../../core/protocol/purposes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Device } from '../../ports/store.ts';

const challengeLifeMs = 60_000;
const sessionLifeMs = 12 * 3_600_000;
const challengesMax = 10_000;

/**
 * Device authentication: a challenge that the device signs with its ML-DSA key for the connection it is sent over, then a
 * session of which each request carries a proof for its own connection. Sessions live in memory only: after a restart
 * devices authenticate again.
 */
export type Sessions = {
  challenge(deviceId: string): string;
  /** Whether this challenge was given to this device and may still be answered. After a restart none is known. */
  isOpen(deviceId: string, challenge: string): boolean;
  /** Uses a challenge up; whether it could be answered. */
  spend(deviceId: string, challenge: string): boolean;
  /** A new session, or undefined when the proof does not hold. A challenge is used up by the attempt. */
  open(
    device: Device,
    said: { readonly challenge: string; readonly proof: string },
    channel: string,
  ): Promise<string | undefined>;
  /** The device id of a session of which this is the proof for this channel. */
  deviceOf(credential: string, channel: string): string | undefined;
};

export function createSessions({ crypto, clock, pin }: { crypto: Crypto; clock: Clock; pin: string }): Sessions {
  const challenges = new Map<string, { readonly deviceId: string; readonly expiresAtMs: number }>();
  const sessions = new Map<
    string,
    { readonly session: string; readonly deviceId: string; readonly expiresAtMs: number }
  >();

  function isOpen(deviceId: string, challenge: string): boolean {
    const known = challenges.get(challenge);
    return known?.deviceId === deviceId && clock.monotonicMs() <= known.expiresAtMs;
  }

  function spend(deviceId: string, challenge: string): boolean {
    const isAnswerable = isOpen(deviceId, challenge);
    challenges.delete(challenge);
    return isAnswerable;
  }

  return {
    challenge(deviceId) {
      // Maps keep insertion order: the first one is the oldest.
      if (challenges.size >= challengesMax) challenges.delete(challenges.keys().next().value!);
      const challenge = crypto.randomBytes(32).toBase64();
      challenges.set(challenge, { deviceId, expiresAtMs: clock.monotonicMs() + challengeLifeMs });
      return challenge;
    },
    isOpen,
    spend,
    async open(device, { challenge, proof }, channel) {
      if (!spend(device.deviceId, challenge)) return undefined;
      const message = sessionProofBytes({ deviceId: device.deviceId, challenge, pin, channel });
      const key = Uint8Array.fromBase64(device.publicKey);
      if (!(await crypto.verify(key, purposes.session, message, Uint8Array.fromBase64(proof)))) return undefined;
      const session = sessionText(crypto.randomBytes(32));
      const expiresAtMs = clock.monotonicMs() + sessionLifeMs;
      sessions.set(sessionId(session), { session, deviceId: device.deviceId, expiresAtMs });
      return session;
    },
    deviceOf(credential, channel) {
      const said = parseCredential(credential);
      const known = said && sessions.get(said.id);
      if (known === undefined) return undefined;
      if (clock.monotonicMs() > known.expiresAtMs) {
        sessions.delete(said!.id);
        return undefined;
      }
      return proves(credential, known.session, channel, crypto) ? known.deviceId : undefined;
    },
  };
}
