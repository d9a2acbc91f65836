import { createHash } from '../../primitives/index.ts';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import process from 'node:process';
import { Command } from 'commander';
import { pathsOf, readPlan, readSettings, writeWhole } from '../coordinator-folder.ts';
import { Failure } from '../failure.ts';

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Copy what a run has to show into a folder without a secret in it: model and card, journal with its proof, table, report, plan; "audit verify" checks it',
    )
    .argument('<dir>', "the coordinator's folder; the coordinator may run or not")
    .requiredOption('--to <folder>', 'the folder to make')
    .option('--json', 'print one JSON document')
    .action(async (dir: string, options: { to: string; json?: boolean }) => {
      const written = await exportRun(resolve(dir), resolve(options.to));
      if (options.json === true)
        process.stdout.write(`${JSON.stringify({ folder: resolve(options.to), files: written })}\n`);
      else for (const { name, bytes, sha256 } of written) process.stdout.write(`${sha256}  ${name} (${bytes} bytes)\n`);
    });
}

type Written = { readonly name: string; readonly bytes: number; readonly sha256: string };

async function exportRun(folder: string, target: string): Promise<readonly Written[]> {
  const paths = pathsOf(folder);
  const [settings, plan] = await Promise.all([readSettings(paths), readPlan(paths.plan)]);
  if (existsSync(target)) throw new Failure('plan', `Cannot export to ${target} as it must be a new folder: it exists`);
  if (!existsSync(paths.database)) {
    throw new Failure('plan', `Cannot export ${folder} as it must have been served: it holds no run yet`);
  }
  const { readRun } = await import('../../node/read-run.ts');
  const { metricsCsv } = await import('../../core/report/csv.ts');
  const { renderReport } = await import('../../core/report/html.ts');
  const { hiddenKinds, hiddenLine } = await import('../../core/transparency/hidden-entry.ts');
  const { publicRecord } = await import('../../core/round/public-record.ts');
  const { originOf } = await import('../../core/transparency/checkpoint.ts');
  const { proofFiles } = await import('../../core/transparency/export-proof.ts');
  const { exportListText, signExportList } = await import('../../core/transparency/export-list.ts');
  const { openProofKeys } = await import('../../node/coordinator-keys.ts');
  const { openFolderVault } = await import('../folder-vault.ts');
  const { createNodeCrypto } = await import('../../adapters/crypto-node.ts');
  const vault = await openFolderVault(paths);
  const keys = await openProofKeys(vault, createNodeCrypto());
  const { record: whole, journal, model, card } = await readRun(paths, plan, settings, vault.atRest);
  const isPrivate = plan.privacy.mode === 'central';
  const record = publicRecord(whole);

  await mkdir(target, { recursive: true });
  const out = pathsOf(target);
  await copyFile(paths.plan, out.plan);
  // Who took part in a private round stays with the operator.
  const lines = journal.map((row) =>
    isPrivate && hiddenKinds.has(row.entry.kind) ? hiddenLine(row.entry, row.leafHash) : row.text,
  );
  await writeWhole(out.journal, lines.map((line) => `${line}\n`).join(''));
  await writeWhole(out.metrics, metricsCsv(record));
  await writeWhole(out.report, renderReport(record));
  await writeWhole(out.record, `${JSON.stringify(record)}\n`);
  if (model !== undefined) await writeWhole(out.model, model);
  if (card !== undefined) await writeWhole(out.card, card);
  const proof = proofFiles(journal, { origin: originOf(settings), key: keys.treeHead }, sha256);
  for (const [name, content] of Object.entries(proof)) await writeWhole(join(target, name), content);

  const names = await readdir(target);
  const written = await Promise.all(names.toSorted().map((name) => describe(join(target, name))));
  const list = new TextEncoder().encode(exportListText(written));
  await writeWhole(join(target, 'SHA256SUMS'), list);
  await writeWhole(join(target, 'SHA256SUMS.sig'), signExportList(list, keys.exportList));
  return written;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

async function describe(path: string): Promise<Written> {
  const bytes = await readFile(path);
  return { name: basename(path), bytes: bytes.length, sha256: sha256(bytes).toHex() };
}
