import type { TLSSocket } from 'node:tls';
import { channelProfiles } from '../../core/protocol/channel-profile.ts';
import type { Plan } from '../../core/plan/plan.ts';

/**
 * What this connection speaks, by the server's own end of it, in the form of the header `qflare-tls`. Protocol and cipher
 * are read from the socket; Node does not tell a server the group, and the one group of the list is the only one that a
 * handshake can have ended with.
 */
export function seenChannel(socket: TLSSocket, plan: Plan): string {
  const { group } = channelProfiles[plan.security.profile];
  return `${socket.getProtocol() ?? 'none'} ${group} ${socket.getCipher().standardName}`;
}
