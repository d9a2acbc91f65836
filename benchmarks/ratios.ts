// How long pieces of the product take over a plain yardstick, measured in turn: what the performance gate compares with
// baseline.json. Usage: ratios.ts [--json] [--repeats N] [--only NAME …] [--write] (--write makes this the baseline)
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ratioCases } from './ratios/cases.ts';
import { ratioOf } from './ratios/ratio.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '12' },
    only: { type: 'string', multiple: true },
  },
});
const ratios: Record<string, number> = {};
for (const { name, make, yardstick } of ratioCases) {
  if (values.only !== undefined && !values.only.includes(name)) continue;
  const ratio = await ratioOf({ work: await make(), yardstick }, Number(values.repeats));
  ratios[name] = Number(ratio.toFixed(4));
}
const machine = `${process.arch}, ${cpus()[0]?.model ?? 'unknown processor'}`;
if (values.write) {
  const path = join(import.meta.dirname, 'baseline.json');
  const baseline = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>;
  // The best of what was there and what is now: a noisy minute must not loosen the gate. Remove a line to raise it.
  const before = baseline[machine] ?? {};
  const best = Object.entries(ratios).map(([name, ratio]) => [name, Math.min(ratio, before[name] ?? ratio)] as const);
  baseline[machine] = { ...before, ...Object.fromEntries(best) };
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine, ratios })}\n`);
else {
  process.stdout.write(`${machine}\n`);
  for (const [name, ratio] of Object.entries(ratios))
    process.stdout.write(`${ratio.toFixed(3).padStart(9)}  ${name}\n`);
}
