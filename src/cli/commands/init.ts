import { randomBytes } from '../../primitives/index.ts';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import type { Unlocking } from '../../adapters/kms-file/token.ts';
import { channelProfiles } from '../../core/protocol/channel-profile.ts';
import { suites } from '../../core/protocol/suite.ts';
import { derivedCohort, parsePlan, type PlanInput } from '../../core/plan/plan.ts';
import { pathsOf, readPlan, type Settings, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';
import { renderPlanToml } from '../plan-toml.ts';

/** The keys that a coordinator begins with, beside the TLS key and the data key. */
const madeAtOnce = ['owner-token', 'announcement', 'pseudonym'] as const;

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
        const { findUnlocking } = await import('../../node/unlocking.ts');
        const unlocking = await findUnlocking(process.env);
        const { org: orgId, host } = options;
        const settings = await initFolder(resolve(dir), { orgId, host, plan, ledger, unlocking });
        if (options.json === true) process.stdout.write(`${JSON.stringify({ dir: resolve(dir), ...settings })}\n`);
        else {
          process.stdout.write(
            `Made ${dir}: edit ${dir}/plan.toml, then run "qflare serve ${dir}".\nThe keys in ${dir}/keys are the coordinator's identity, sealed; what unlocks them is kept outside of the folder ("qflare keys list ${dir}" says where): back both up.\n`,
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
    /** What will unlock the keys of the folder. */
    readonly unlocking: Unlocking;
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
  const { profile } = plan.security;
  const [{ createServerIdentity }, { createNodeCrypto }, { openKeyVault }] = await Promise.all([
    import('../../adapters/tls-identity-x509.ts'),
    import('../../adapters/crypto-node.ts'),
    import('../../node/key-vault.ts'),
  ]);
  const identity = await createServerIdentity(
    [options.host, 'localhost'],
    Date.now(),
    channelProfiles[profile].signature,
  );

  const { proofPurposes } = await import('../../node/coordinator-keys.ts');
  const crypto = createNodeCrypto();
  const vault = await openKeyVault(paths.keys, options.unlocking, crypto);
  await vault.replace('tls', Buffer.from(identity.key));
  await writeWhole(paths.tlsCertificate, identity.cert);
  const { signature, provedBy } = suites[plan.security.suite];
  await vault.replace('root', crypto.generateSigningKey(signature).exportSeed());
  for (const purpose of proofPurposes) await vault.replace(purpose, crypto.generateSigningKey(provedBy).exportSeed());
  for (const purpose of madeAtOnce) await vault.secret(purpose);
  if (!existsSync(paths.plan)) await writeWhole(paths.plan, renderPlanToml(plan, derivedCohort(plan)));
  const settings: Settings = {
    orgId: options.orgId,
    runId: `${plan.name}-${randomBytes(4).toString('hex')}`,
    pin: identity.pin,
    host: options.host,
    ...(profile === 'default' ? {} : { profile }),
    ...(options.ledger === undefined ? {} : { ledger: options.ledger }),
  };
  await writeWhole(paths.settings, `${JSON.stringify(settings, null, 2)}\n`);
  return settings;
}
