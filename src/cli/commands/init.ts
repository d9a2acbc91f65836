import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { derivedCohort, parsePlan, type PlanInput } from '../../core/plan/plan.ts';
import { pathsOf, readPlan, type Settings, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { renderPlanToml } from '../plan-toml.ts';

export function initCommand(): Command {
  return new Command('init')
    .description("Make a coordinator's folder: a plan with every default explained, and the coordinator's keys")
    .argument('<dir>', 'the folder to make')
    .option('--org <id>', 'the organisation', 'default')
    .option('--host <name>', 'the name that clients reach the coordinator by', 'localhost')
    .option('--plan <file>', 'start from this plan')
    .option('--ledger <file>', 'keep the privacy ledger in this file, so that several runs share one budget')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nThen: edit DIR/plan.toml, "qflare serve DIR", and "qflare join LINK" on each site.')
    .action(
      async (dir: string, options: { org: string; host: string; plan?: string; ledger?: string; json?: boolean }) => {
        const plan = options.plan === undefined ? undefined : await readPlan(options.plan);
        const ledger = options.ledger === undefined ? undefined : resolve(options.ledger);
        const settings = await initFolder(resolve(dir), { orgId: options.org, host: options.host, plan, ledger });
        if (options.json === true) process.stdout.write(`${JSON.stringify({ dir: resolve(dir), ...settings })}\n`);
        else {
          process.stdout.write(
            `Made ${dir}: edit ${dir}/plan.toml, then run "qflare serve ${dir}".\nThe keys in ${dir}/keys are the coordinator's identity: back them up and show them to nobody.\n`,
          );
        }
      },
    );
}

/** Makes the folder of a coordinator. Refuses one that has a coordinator already: its keys would be lost. */
export async function initFolder(
  folder: string,
  options: {
    readonly orgId: string;
    readonly host: string;
    readonly plan?: PlanInput | undefined;
    readonly name?: string;
    readonly ledger?: string | undefined;
  },
): Promise<Settings> {
  const paths = pathsOf(folder);
  if (existsSync(paths.settings)) {
    throw new Failure('plan', `Cannot make ${folder} a coordinator's folder as it is one already`);
  }
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(options.orgId)) {
    throw new Failure(
      'plan',
      `Cannot use the organisation as --org must be lower-case letters, digits and dashes: current value is "${options.orgId}"`,
    );
  }
  const plan = parsePlan(options.plan ?? { model: { kind: 'mlp', layers: [784, 128, 10] } });
  const [{ createServerIdentity }, { createNodeCrypto }] = await Promise.all([
    import('../../adapters/tls-identity-x509.ts'),
    import('../../adapters/crypto-node.ts'),
  ]);
  const identity = await createServerIdentity([options.host, 'localhost'], Date.now());

  await mkdir(paths.keys, { recursive: true, mode: 0o700 });
  await writeWhole(paths.tlsKey, identity.key, 0o600);
  await writeWhole(paths.tlsCertificate, identity.cert);
  await writeWhole(paths.signingSeed, createNodeCrypto().generateSigningKey().exportSeed(), 0o600);
  await writeWhole(paths.keyEncryptionKey, randomBytes(32), 0o600);
  await writeWhole(paths.ownerToken, randomBytes(32).toString('base64url'), 0o600);
  if (!existsSync(paths.plan)) await writeWhole(paths.plan, renderPlanToml(plan, derivedCohort(plan)));
  const settings: Settings = {
    orgId: options.orgId,
    runId: `${plan.name}-${randomBytes(4).toString('hex')}`,
    pin: identity.pin,
    host: options.host,
    ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
  };
  await writeWhole(paths.settings, `${JSON.stringify(settings, null, 2)}\n`);
  return settings;
}
