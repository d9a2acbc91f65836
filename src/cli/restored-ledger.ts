import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { rewoundSubject } from '../core/privacy/ledger/heads.ts';
import { pathsOf, readPlan, readSettings } from './coordinator-folder.ts';
import { Failure } from './failure.ts';

const headsSchema = z.looseObject({
  heads: z.record(z.string(), z.strictObject({ entries: z.int().min(1), hash: z.string() })),
});

/** Reads the heads that `qflare privacy ledger --json` has printed. */
export async function readHeads(path: string): Promise<z.output<typeof headsSchema>['heads']> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Failure('plan', `Cannot read ${path} as it must exist: "qflare privacy ledger DIR --json" prints it`);
  });
  const parsed = headsSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data.heads;
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

/** Throws unless the ledger of a restored folder holds every head: nothing that they knew of is forgotten then. */
export async function refuseRewound(folder: string, heads: Awaited<ReturnType<typeof readHeads>>): Promise<void> {
  const paths = pathsOf(folder);
  const [settings, plan] = await Promise.all([readSettings(paths), readPlan(paths.plan)]);
  if (settings.ledger !== undefined && !existsSync(settings.ledger)) {
    throw new Failure('security', `Cannot restore this run as its ledger ${settings.ledger} must be there: it is gone`);
  }
  const { readRun } = await import('../node/read-run.ts');
  const { ledger } = await readRun(paths, plan, settings);
  const found = rewoundSubject(ledger, heads);
  if (found === undefined) return;
  const { subject, known, held } = found;
  throw new Failure(
    'security',
    `Cannot restore this run as its privacy ledger must not go back: ${subject} had ${known} entries, the ledger holds ${held} or other ones (take a later backup; --accept-rewound-ledger takes it on you)`,
  );
}
