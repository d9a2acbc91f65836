// How long pieces of the product take over a plain yardstick, measured in turn: what the performance gate compares with
// baseline.json. Usage: ratios.ts [--json] [--repeats N] [--only NAME …] [--write] (--write makes this the baseline)
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure, medianOf } from '../tools/gates/performance.ts';
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
const baselineProcesses = 9;

if (values.write) {
  writeBaseline(values.only ?? []);
} else {
  const ratios: Record<string, number> = {};
  for (const { name, make, yardstick } of ratioCases) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    const ratio = await ratioOf({ work: await make(), yardstick }, Number(values.repeats));
    ratios[name] = Number(ratio.toFixed(4));
  }
  const machine = `${process.arch}, ${cpus()[0]?.model ?? 'unknown processor'}`;
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, ratios })}\n`);
  else show(machine, ratios);
}

/** The medians of several processes become the baseline of this machine: what the gate holds medians against. */
function writeBaseline(only: readonly string[]): void {
  const path = join(import.meta.dirname, 'baseline.json');
  const runs = Array.from({ length: baselineProcesses }, () => measure(join(import.meta.dirname, '..'), only));
  const { machine } = runs[0]!;
  const baseline = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>;
  const ratios = Object.fromEntries(
    ratioCases.map(({ name }) => {
      const measured = runs.flatMap((run) => run.ratios[name] ?? []);
      return [name, measured.length === 0 ? baseline[machine]![name]! : medianOf(measured)] as const;
    }),
  );
  baseline[machine] = ratios;
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`);
  show(machine, ratios);
}

function show(machine: string, ratios: Readonly<Record<string, number>>): void {
  process.stdout.write(`${machine}\n`);
  for (const [name, ratio] of Object.entries(ratios))
    process.stdout.write(`${ratio.toFixed(3).padStart(9)}  ${name}\n`);
}
