// The UCI heart disease data of four hospitals, read as plan.toml describes it: what `qflare join --data` does.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { readSiteTable, type SiteTable } from '../../src/core/data/site-table.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';

export const hospitals = ['cleveland', 'hungarian', 'switzerland', 'va'] as const;
export type Hospital = (typeof hospitals)[number];

export const planPath = join(import.meta.dirname, 'plan.toml');
export const heartPlan = parsePlan(parseToml(await readFile(planPath, 'utf8')));

export const fileOf = (folder: string, hospital: Hospital) => join(folder, `processed.${hospital}.data`);

/** One hospital's rows, standardised by its own training part. */
export async function readHospital(folder: string, hospital: Hospital, seed = heartPlan.seed): Promise<SiteTable> {
  const path = fileOf(folder, hospital);
  const { table, holdoutShare } = heartPlan.data;
  const rng = createRng(seed).child('hold-out');
  return readSiteTable({ text: await readFile(path, 'utf8'), path }, table!, { holdoutShare, rng });
}
