// The mutation score of src/core: small changes to the code, and whether the core's own tests notice them.
// Usage: mutation.ts [--sample N] [--seed S] [--under PATH PART] [--json]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from './gates/source-files.ts';
import { measureCore } from './mutation/core.ts';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    under: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const report = await measureCore(repositoryRoot, {
  sample: Number(values.sample),
  seed: Number(values.seed),
  under: values.under,
  cache: join(repositoryRoot, 'node_modules/.cache/qflare/mutation.json'),
  say: (text) => void process.stderr.write(text),
});
const { mutants, files, sampled, counts, score, margin, survivors } = report;
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  for (const { path, line, text } of survivors) process.stdout.write(`${path}:${line} ${text}\n`);
  process.stdout.write(
    `${(100 * score).toFixed(1)} % ± ${(100 * margin).toFixed(1)} of ${sampled - counts.invalid} mutants noticed: a sample of ` +
      `${sampled} (seed ${values.seed}) of the ${mutants} of ${files} files; ${counts.killed} killed, ${counts.timeout} timed out, ` +
      `${counts.survived} survived, ${counts.untested} without a test, ${counts.invalid} no JavaScript\n`,
  );
}
