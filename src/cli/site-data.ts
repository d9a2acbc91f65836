import { readFile, stat } from 'node:fs/promises';
import { readDatasetFolder } from '../adapters/dataset-folder.ts';
import { type SiteParts, splitSite } from '../adapters/trainer-builtin.ts';
import { readSiteTable } from '../core/data/site-table.ts';
import { featureCount } from '../core/data/dataset.ts';
import { classCountOf, inputCountOf } from '../core/learning/model-spec.ts';
import type { Plan } from '../core/plan/plan.ts';
import { createRng } from '../core/random/rng.ts';
import { Failure } from './failure.ts';

/** Reads a site's data for the built-in trainer: a CSV file as the plan describes it, or a folder of two IDX files. */
export async function readSite(plan: Plan, path: string, say: (text: string) => void): Promise<SiteParts> {
  return (await stat(path)).isDirectory() ? readFolder(plan, path) : readCsv(plan, path, say);
}

async function readFolder(plan: Plan, path: string): Promise<SiteParts> {
  const data = await readDatasetFolder(path, classCountOf(plan.model));
  const [inputs, wanted] = [featureCount(data), inputCountOf(plan.model)];
  if (inputs !== wanted) {
    throw new RangeError(
      `Cannot use the data in ${path} as a sample must have ${wanted} values, the inputs of the model: current value is ${inputs}`,
    );
  }
  return splitSite(plan, data);
}

async function readCsv(plan: Plan, path: string, say: (text: string) => void): Promise<SiteParts> {
  const { table, holdoutShare } = plan.data;
  if (table === undefined) {
    throw new Failure(
      'plan',
      `Cannot read ${path} as the plan of the run must describe its columns (data.table): it has no such setting`,
    );
  }
  const text = await readFile(path, 'utf8');
  const rng = createRng(plan.seed).child('hold-out');
  const { training, test, said, categories } = readSiteTable({ text, path }, table, { holdoutShare, rng });
  for (const sentence of said) say(sentence);
  return { training, holdOut: test, categories };
}
