import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import type { Status } from '../../coordinator/status.ts';
import { patternName } from '../../core/detection/pattern/pattern.ts';
import { Failure } from '../failure.ts';
import { asOwner, type OwnerClient } from '../owner-client.ts';

export function devicesCommand(): Command {
  const devices = new Command('devices').description('List, approve and remove enrolled devices');
  devices
    .command('list', { isDefault: true })
    .description('List the devices of a run')
    .argument('<dir>', "the coordinator's folder")
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: { json?: boolean }) => {
      const { devices: rows } = await asOwner(resolve(dir), (client) =>
        client.call<Status>({ method: 'GET', path: '/v1/admin/status' }),
      );
      if (options.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
      else for (const row of rows) process.stdout.write(`${deviceLine(row)}\n`);
    });
  for (const [verb, status] of [
    ['approve', 'approved'],
    ['remove', 'removed'],
  ] as const) {
    devices
      .command(verb)
      .description(verb === 'approve' ? 'Let a device take part' : 'Exclude a device at once')
      .argument('<dir>', "the coordinator's folder")
      .argument('<id>', 'a device id, or a client id that one device has')
      .option('--json', 'print one JSON document')
      .action(async (dir: string, id: string, options: { json?: boolean }) => {
        const answer = await asOwner(resolve(dir), async (client) => {
          const { deviceId } = await deviceNamed(client, id, verb);
          return client.call<{ clientId: string }>({
            method: 'POST',
            path: `/v1/admin/devices/${deviceId}`,
            json: { status },
          });
        });
        process.stdout.write(
          options.json === true ? `${JSON.stringify(answer)}\n` : `${answer.clientId} is ${status}\n`,
        );
      });
  }
  devices
    .command('rotate-key')
    .description('Ask a device for a new key: it makes one before it contributes to the next round')
    .argument('<dir>', "the coordinator's folder")
    .argument('<id>', 'a device id, or a client id that one device has')
    .option('--json', 'print one JSON document')
    .action(async (dir: string, id: string, options: { json?: boolean }) => {
      const answer = await asOwner(resolve(dir), async (client) => {
        const { deviceId } = await deviceNamed(client, id, 'rotate the key of');
        return client.call<{ clientId: string }>({ method: 'POST', path: `/v1/admin/devices/${deviceId}/key` });
      });
      const text = `${answer.clientId} is asked for a new key\n`;
      process.stdout.write(options.json === true ? `${JSON.stringify(answer)}\n` : text);
    });
  return devices;
}

/** The one device that an id names. */
async function deviceNamed(client: OwnerClient, id: string, verb: string): Promise<Status['devices'][number]> {
  const { devices: rows } = await client.call<Status>({ method: 'GET', path: '/v1/admin/status' });
  const found = rows.filter((row) => row.deviceId === id || (row.clientId === id && row.status !== 'removed'));
  if (found.length === 1) return found[0]!;
  throw new Failure('plan', `Cannot ${verb} "${id}" as it must name one device: ${found.length} have this id`);
}

/** One device as a line of a table. */
export function deviceLine(row: Status['devices'][number], nowMs: number = Date.now()): string {
  const presence = row.isConnected ? 'connected' : 'away';
  return `${row.clientId.padEnd(14)} ${row.status.padEnd(9)} ${presence.padEnd(10)} ${row.deviceId}  ${row.name}${keyText(row, nowMs)}${reputationText(row.reputation)}`;
}

/** That a device's key is old, before it ends: it makes a new one by itself when it is there. */
function keyText({ key, status }: Status['devices'][number], nowMs: number): string {
  if (status === 'removed' || nowMs < key.dueMs) return '';
  const day = new Date(key.endsMs).toISOString().slice(0, 10);
  return `\n${''.padEnd(15)}its key is to be replaced and ends on ${day}: it makes a new one when it connects`;
}

/** What is believed of a device's client, and why: nothing before detection has seen an update. */
function reputationText(reputation: Status['devices'][number]['reputation']): string {
  if (reputation === null) return '';
  const { trust, uncertainty, standing, flaggedRounds, judgedRounds, lastFlag } = reputation;
  const belief = `${standing}, trust ${trust.toFixed(2)} ± ${uncertainty.toFixed(2)}, flagged in ${flaggedRounds} of ${judgedRounds} rounds`;
  const why = lastFlag === null ? '' : `; round ${lastFlag.round}: ${lastFlag.reasons.join('; ')}`;
  const pattern = lastFlag?.pattern ?? null;
  const looks = pattern === null ? '' : `; looks like ${patternName(pattern.label)}: ${pattern.evidence.join('; ')}`;
  return `\n${''.padEnd(15)}${belief}${why}${looks}`;
}
