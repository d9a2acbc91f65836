// The mutation score of src/core: small changes to the code, and whether the core's own tests notice them.
// Usage: mutation.ts [--sample N] [--seed S] [--under PATH PART] [--seconds N] [--json]
// What is judged is kept: after --seconds the same command goes on where it stopped.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from './gates/source-files.ts';
import { measureCore } from './mutation/core.ts';

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '86400' },
    under: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const report = await measureCore(repositoryRoot, {
  sample: Number(values.sample),
  seed: Number(values.seed),
  under: values.under,
  secondsMax: Number(values.seconds),
  cache: join(repositoryRoot, 'node_modules/.cache/qflare/mutation.json'),
  say: (text) => void process.stderr.write(text),
});
const { mutants, files, sampled, counts, score, margin, survivors, judged, left, seconds } = report;
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  for (const { path, line, text } of survivors) process.stdout.write(`${path}:${line} ${text}\n`);
  process.stdout.write(
    `${(100 * score).toFixed(1)} % ± ${(100 * margin).toFixed(1)} of ${sampled - counts.invalid} mutants noticed: a sample of ` +
      `${sampled} (seed ${values.seed}) of the ${mutants} of ${files} files; ${counts.killed} killed, ${counts.timeout} timed out, ` +
      `${counts.survived} survived, ${counts.untested} without a test, ${counts.invalid} no JavaScript; ${judged} of them run now in ${seconds.toFixed(0)} s\n` +
      (left > 0 ? `Not a score yet: ${left} mutants are left, the same command goes on with them\n` : ''),
  );
}
