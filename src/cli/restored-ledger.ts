import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { type Rewound, rewoundSubject } from '../core/privacy/ledger/heads.ts';
import { pathsOf, readPlan, readSettings } from './coordinator-folder.ts';
import { Failure } from './failure.ts';

const headsSchema = z.looseObject({
  heads: z.record(z.string(), z.strictObject({ entries: z.int().min(1), hash: z.string() })),
  chains: z.record(z.string(), z.array(z.string())).optional(),
});

/** Reads the heads that `qflare privacy ledger --json` has printed. */
export async function readHeads(path: string): Promise<z.output<typeof headsSchema>['heads']> {
  return (await readLedgerNow(path)).heads;
}

/** Reads the same, and the chains where `--chains` has printed them. */
export async function readLedgerNow(path: string): Promise<Pick<z.output<typeof headsSchema>, 'heads' | 'chains'>> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Failure('plan', `Cannot read ${path} as it must exist: "qflare privacy ledger DIR --json" prints it`);
  });
  const parsed = headsSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Failure(
    'plan',
    `Cannot use ${path} as it must be what "qflare privacy ledger DIR --json" prints: it is not`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Sees to the ledger of a restored folder: one of its own that is gone comes back from the backup. With heads, throws unless
 * it holds every one of them and all that the backup's copy held: nothing that they knew of is forgotten then.
 */
export async function settleLedger(
  folder: string,
  copy: Uint8Array | undefined,
  heads: Awaited<ReturnType<typeof readHeads>> | undefined,
): Promise<void> {
  const { orgId, ledger: path } = await readSettings(pathsOf(folder));
  if (path === undefined || copy === undefined) {
    if (heads !== undefined) await refuseRewound(folder, heads);
    return;
  }
  const { adoptLedger } = await import('../node/backup-ledger.ts');
  const adopted = await adoptLedger(copy, { path, orgId });
  if (heads === undefined) return;
  if (adopted.kind === 'rewound') throw rewound(adopted.found);
  await refuseRewound(folder, heads).catch(async (error: unknown) => {
    if (adopted.kind === 'written') await rm(path, { force: true });
    throw error;
  });
}

async function refuseRewound(folder: string, heads: Awaited<ReturnType<typeof readHeads>>): Promise<void> {
  const paths = pathsOf(folder);
  const [settings, plan] = await Promise.all([readSettings(paths), readPlan(paths.plan)]);
  if (settings.ledger !== undefined && !existsSync(settings.ledger)) {
    throw new Failure('security', `Cannot restore this run as its ledger ${settings.ledger} must be there: it is gone`);
  }
  const { readRun } = await import('../node/read-run.ts');
  const { ledger } = await readRun(paths, plan, settings);
  const found = rewoundSubject(ledger, heads);
  if (found !== undefined) throw rewound(found);
}

function rewound({ subject, known, held }: Rewound): Failure {
  return new Failure(
    'security',
    `Cannot restore this run as its privacy ledger must not go back: ${subject} had ${known} entries, the ledger holds ${held} or other ones (take a later backup; --accept-rewound-ledger takes it on you)`,
  );
}
