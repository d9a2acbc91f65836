// The mutation score of src/core. The sample keeps it to some ten minutes; what is unchanged is not run again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../../tools/gates/source-files.ts';
import { measureCore } from '../../tools/mutation/core.ts';

const sample = Number(process.env['QFLARE_MUTANTS'] ?? 400);
const leastScore = 0.8;

test('at least 80 % of sampled mutants of src/core are noticed by the tests of src/core', {
  timeout: 3_600_000,
}, async (t) => {
  const { mutants, files, sampled, counts, score, margin, survivors } = await measureCore(repositoryRoot, {
    sample,
    seed: 11,
    cache: join(repositoryRoot, 'node_modules/.cache/qflare/mutation.json'),
  });
  t.diagnostic(
    `${(100 * score).toFixed(1)} % ± ${(100 * margin).toFixed(1)} (95 %: from ${(100 * (score - margin)).toFixed(1)}): ${counts.killed + counts.timeout} of ` +
      `${sampled - counts.invalid} sampled of ${mutants} mutants in ${files} files`,
  );
  assert.ok(sampled === Math.min(sample, mutants) && sampled > 100, `${sampled} mutants`);
  assert.ok(
    score >= leastScore,
    `${(100 * score).toFixed(1)} %:\n${survivors.map(({ path, line, text }) => `${path}:${line} ${text}`).join('\n')}`,
  );
});
