// How much of a budget is used at the planned end, and how often the forecast holds. Usage: privacy-utilisation.ts [--write] [--only 0,3]
// The rounds go through the coordinator's own ledger and its replanning; who is there is *simulated*, from seeds.
// `--write` puts the tables into docs/explanation/privacy.md.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { intoPage } from './into-page.ts';
import { forecastTable } from './privacy-utilisation/forecasts.ts';
import { utilisationTable } from './privacy-utilisation/budgets.ts';

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false }, only: { type: 'string' } } });
const tables = [
  ['utilisation', utilisationTable(values.only?.split(',').map(Number))],
  ['forecast', forecastTable()],
] as const;
for (const [name, { lines, isMet }] of tables) {
  process.stdout.write(`${lines.join('\n')}\n\n`);
  if (!isMet) process.exitCode = 1;
  if (values.write) intoPage('docs/explanation/privacy.md', name, lines.join('\n'));
}
