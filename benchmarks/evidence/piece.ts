import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'smol-toml';
import { labBar, labLine } from '../../src/cli/view/lab-view.ts';
import { createRunView } from '../../src/cli/view/run-view.ts';
import { type LabInput, type LabRecord, runMatrix } from '../../src/lab/index.ts';

/** A matrix of benchmarks/evidence, run as far as the command line asks, and what is known of all of it then. */
export async function evidenceOf(name: string): Promise<LabRecord> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      rules: { type: 'string' },
      seeds: { type: 'string' },
      tables: { type: 'boolean' },
    },
  });
  const matrix = matrixOf(name);
  if (values.tables !== true) {
    const rule = matrix.matrix.rule.filter((one) => isIn(values.rules, typeof one === 'string' ? one : nameOf(one)));
    const seed = matrix.matrix.seed?.filter((one) => isIn(values.seeds, String(one)));
    await runPiece(name, { ...matrix, matrix: { ...matrix.matrix, rule, seed } }, Number(values.seconds ?? Infinity));
  }
  const record = await knownOf(name);
  console.log(`${record.cells.length} cells have run, ${record.pending} have not.`);
  return record;
}

/** What the folder holds of a whole matrix: nothing is run. */
export async function knownOf(name: string): Promise<LabRecord> {
  return runMatrix(matrixOf(name), { folder: folderOf(name), signal: AbortSignal.abort() });
}

function matrixOf(name: string): LabInput {
  return parse(readFileSync(join(import.meta.dirname, `${name}.toml`), 'utf8')) as LabInput;
}

function folderOf(name: string): string {
  return join(import.meta.dirname, '..', '..', 'runs', 'evidence', name);
}

async function runPiece(name: string, matrix: LabInput, seconds: number): Promise<void> {
  const stop = new AbortController();
  const timer = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1000) : undefined;
  const view = createRunView(process.stderr);
  await runMatrix(
    { ...matrix, exclude: exclusionsFor(matrix) },
    {
      folder: folderOf(name),
      signal: stop.signal,
      onProgress(progress) {
        if (progress.cell !== null && process.stderr.isTTY !== true) view.note(labLine(progress));
        view.progress(labBar(progress));
      },
    },
  );
  view.end();
  clearTimeout(timer);
}

/** A piece of a matrix has fewer rules: exclusions that name others as well still hold for those that are left. */
function exclusionsFor({ exclude = [], matrix }: LabInput): NonNullable<LabInput['exclude']> {
  const rules = matrix.rule.map((one) => (typeof one === 'string' ? one : nameOf(one)));
  return exclude.flatMap((one) => {
    if (one['rule'] === undefined) return [one];
    const left = [one['rule']].flat().filter((rule) => rules.includes(String(rule)));
    return left.length === 0 ? [] : [{ ...one, rule: left }];
  });
}

function isIn(list: string | undefined, value: string): boolean {
  return list?.split(',').includes(value) ?? true;
}

function nameOf(rule: object): string {
  return 'name' in rule ? String(rule.name) : '';
}
