// The robustness table: partitions × attacks × rules × seeds, and what of it meets its goal.
// Usage: node benchmarks/robustness.ts [--seconds N] [--rules a,b] [--tables]
// Cells are kept in runs/evidence/robustness, so it can be stopped (--seconds) and resumed; --tables runs nothing. Both
// write the tables into docs/explanation/robustness-evidence.md, with a dash for what has not been run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'smol-toml';
import { type LabInput, type LabRecord, runMatrix } from '../src/lab/index.ts';
import { intoPage } from './into-page.ts';
import { byAttack, ofPolicy, reproduction, retention, worstByRule } from './evidence/tables.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, rules: { type: 'string' }, tables: { type: 'boolean' } },
});
const page = 'docs/explanation/robustness-evidence.md';
const policy = 'watchful';
const matrix = parse(readFileSync(join(import.meta.dirname, 'evidence', 'robustness.toml'), 'utf8')) as LabInput;
const folder = join(import.meta.dirname, '..', 'runs', 'evidence', 'robustness');

const wanted = values.rules?.split(',');
if (values.tables !== true) {
  const rule = matrix.matrix.rule.filter(
    (one) => wanted?.includes(typeof one === 'string' ? one : nameOf(one)) ?? true,
  );
  const seconds = Number(values.seconds ?? Number.POSITIVE_INFINITY);
  const stop = new AbortController();
  const timer = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1000) : undefined;
  await runMatrix(
    { ...matrix, matrix: { ...matrix.matrix, rule } },
    {
      folder,
      signal: stop.signal,
      onProgress: ({ done, total }) => process.stderr.write(`${done} of ${total}\n`),
    },
  );
  clearTimeout(timer);
}
const record = await known();
console.log(`${record.cells.length} cells have run, ${record.pending} have not.`);
intoPage(page, 'policy', ofPolicy(record, policy));
intoPage(page, 'policy by attack', byAttack(record, policy));
intoPage(page, 'rules', worstByRule(record));
intoPage(page, 'reproduction', reproduction(record));
intoPage(page, 'retention', retention(record, policy));

/** What the folder holds of the whole matrix: nothing is run. */
async function known(): Promise<LabRecord> {
  return runMatrix(matrix, { folder, signal: AbortSignal.abort() });
}

function nameOf(rule: object): string {
  return 'name' in rule ? String(rule.name) : '';
}
