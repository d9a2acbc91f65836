// Loaded with --import into a process that runs tests: gives one module with a mutation in it, in workers too.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const wanted = process.env['QFLARE_MUTANT'];
if (wanted !== undefined) {
  const { url, start, end, replacement } = JSON.parse(wanted) as {
    url: string;
    start: number;
    end: number;
    replacement: string;
  };
  registerHooks({
    load(at, context, next) {
      if (at !== url) return next(at, context);
      const code = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
      return {
        format: 'module',
        source: code.slice(0, start) + replacement + code.slice(end),
        shortCircuit: true,
      };
    },
  });
}
