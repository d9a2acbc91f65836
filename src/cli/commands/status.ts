import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import type { Status } from '../../coordinator/status.ts';
import { asOwner } from '../owner-client.ts';
import { histogramLines } from '../view/histogram-lines.ts';
import { deviceLine } from './devices.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Tell where a run stands')
    .argument('<dir>', "the coordinator's folder")
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: { json?: boolean }) => {
      const status = await asOwner(resolve(dir), (client) =>
        client.call<Status>({ method: 'GET', path: '/v1/admin/status' }),
      );
      process.stdout.write(
        options.json === true ? `${JSON.stringify(status)}\n` : `${statusLines(status).join('\n')}\n`,
      );
    });
}

function statusLines(status: Status): readonly string[] {
  const { open, rounds, channel, model } = status;
  const read = channel.readByClients;
  return [
    `run         ${status.runId} (${status.name}), ${status.status}${status.reason === null ? '' : `: ${status.reason}`}`,
    `rounds      ${rounds.completed} of ${rounds.planned}${open === null ? '' : `; round ${open.round}, ${open.phase}: ${open.accepted} of ${open.participants} in`}`,
    `model       ${model === null ? 'none' : `version ${model.version}, ${model.hash.slice(0, 16)}…`}`,
    `accuracy    ${percent(status.accuracy)} on the coordinator's test data, ${percent(status.clientAccuracy)} on the clients' hold-outs`,
    `channel     ${read === null ? `${channel.group} is the only group accepted` : `${read.protocol} ${read.group} ${read.cipher}, as read by a client`}`,
    `profile     ${channel.is}; client certificates ${channel.clientCertificates}`,
    `envelopes   ${channel.kem}, signed with ${channel.signature}`,
    `log         ${status.log.entries} entries, key sha256:${status.log.keyFingerprint}`,
    ...privacyLines(status),
    ...status.privacy.histograms.flatMap(histogramLines).map((line) => `            ${line}`),
    ...qkdLines(status),
    `links       ${status.invitations.open} open, ${status.invitations.spent} spent`,
    ...status.devices.map((row) => deviceLine(row)),
  ];
}

function privacyLines({ privacy }: Status): readonly string[] {
  if (privacy.released === null) return [`privacy     ${privacy.statement}`];
  const spent = privacy.spent === null ? 'nothing spent yet' : `ε = ${privacy.spent.toPrecision(4)} spent`;
  const out = privacy.out.length === 0 ? [] : [`            out of budget: ${privacy.out.join(', ')}`];
  return [`privacy     ${privacy.statement}; ${spent} after ${privacy.released} releases`, ...out];
}

function qkdLines({ qkd }: Status): readonly string[] {
  if (qkd.policy === 'off') return [];
  const tls = qkd.keySourceTls === null ? 'no key source here' : `key source over ${qkd.keySourceTls} TLS`;
  return [
    `QKD         ${qkd.policy}; ${tls}; ${qkd.devicesInLastRound} devices under a key in the newest round`,
    ...qkd.absent.map(({ clientId, reason }) => `            no key for ${clientId}: ${reason}`),
  ];
}

function percent(share: number | null): string {
  return share === null ? 'not measured' : `${(100 * share).toFixed(2)} %`;
}
