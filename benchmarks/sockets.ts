// The scoreboard over real sockets: attacks × rules × seeds, each cell a coordinator and ten clients as processes.
// Usage: node benchmarks/sockets.ts [--seconds N] [--seeds 1,2] [--rules TEXT] [--attacks a,b] [--table]
// Cells are kept in runs/evidence/sockets (cells.jsonl, results.csv, results.json), so it can be stopped and resumed;
// --table runs nothing. Both write the tables into docs/explanation/robustness-evidence.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ProcessGroup } from '../src/cli/demo/processes.ts';
import { labBar } from '../src/cli/view/lab-view.ts';
import { createRunView } from '../src/cli/view/run-view.ts';
import { formatShare } from '../src/core/report/format.ts';
import { openCellLog } from '../src/lab/cell-log.ts';
import { allocator, nodeFlagsOf } from '../tools/tuning.js';
import { intoPage } from './into-page.ts';
import { accuracyBoard, boardCsv, boardFacts, flaggedBoard } from './sockets/board.ts';
import { socketAxes, socketCells } from './sockets/matrix.ts';
import { runSocketCell, type SocketOutcome } from './sockets/run-cell.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seeds: { type: 'string' },
    rules: { type: 'string' },
    attacks: { type: 'string' },
    table: { type: 'boolean' },
  },
});
const page = 'docs/explanation/robustness-evidence.md';
const folder = join(import.meta.dirname, '..', 'runs', 'evidence', 'sockets');
mkdirSync(join(folder, 'logs'), { recursive: true });
// As the launcher sets them: without, each process would start a second one.
for (const [name, value] of Object.entries(allocator)) process.env[name] ??= value;
process.execArgv.push(...nodeFlagsOf('join'));

const cells = socketCells();
const isWanted = (list: string | undefined, value: string) => list?.split(',').includes(value) ?? true;
const wanted = cells.filter(
  ({ attack, rule, seed }) =>
    isWanted(values.attacks, attack) &&
    isWanted(values.seeds, String(seed)) &&
    isWanted(values.rules, rule.replaceAll(/ f=\d+/g, '')),
);
const log = openCellLog<SocketOutcome>(join(folder, 'cells.jsonl'));
if (values.table !== true) {
  log.claim();
  await runMissing();
}
log.close();

const rows = cells.flatMap((cell) => {
  const outcome = log.outcomes.get(cell.key);
  return outcome === undefined ? [] : [{ cell, outcome }];
});
writeFileSync(join(folder, 'results.csv'), boardCsv(rows));
writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ simulated: false, cells: rows }, null, 1)}\n`);
console.log(`${rows.length} cells have run, ${cells.length - rows.length} have not.\n`);
const accuracy = accuracyBoard(rows, socketAxes);
console.log(accuracy);
intoPage(page, 'sockets', accuracy);
intoPage(page, 'sockets flagged', flaggedBoard(rows, socketAxes));
intoPage(page, 'sockets facts', boardFacts(rows));

async function runMissing(): Promise<void> {
  const view = createRunView(process.stderr);
  const group = new ProcessGroup(join(folder, 'logs'));
  const missing = wanted.filter(({ key }) => !log.outcomes.has(key));
  const begunMs = performance.now();
  const limitMs = 1000 * Number(values.seconds ?? Number.POSITIVE_INFINITY);
  view.note(`${wanted.length} cells, ${wanted.length - missing.length} of them known already`);
  for (const [i, cell] of missing.entries()) {
    const spentMs = performance.now() - begunMs;
    if (spentMs > limitMs) break;
    const secondsLeft = i === 0 ? null : ((spentMs / i) * (missing.length - i)) / 1000;
    view.progress(labBar({ done: wanted.length - missing.length + i, total: wanted.length, secondsLeft, cell: null }));
    const outcome = await runSocketCell(cell, { group, folder });
    const seconds = (performance.now() - begunMs - spentMs) / 1000;
    log.append({ key: cell.key, outcome, seconds });
    view.note(
      `seed ${cell.seed} · ${cell.attack} · ${cell.rule}: ${formatShare(outcome.accuracy)} in ${seconds.toFixed(1)} s`,
    );
  }
  view.end();
  group.killAll();
}
