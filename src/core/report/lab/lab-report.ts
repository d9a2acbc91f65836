import { reportDocument } from '../document.ts';
import { formatCount, formatShare } from '../format.ts';
import { markup, type Markup } from '../markup.ts';
import { renderPlot } from '../plot.ts';
import { heatMap } from './heat-map.ts';
import type { CellRecord, LabRecord } from './record.ts';
import { worstCurves } from './spread-curves.ts';
import { type Grid, gridsOf } from './summary.ts';

/**
 * The report of a matrix as one HTML document: heat maps, curves with their spread, every cell with the command that
 * runs it again. No script, nothing loaded from elsewhere, every text from outside escaped.
 *
 * Promises: the same records give the same bytes.
 */
export function renderLabReport(record: LabRecord): string {
  return reportDocument({
    title: `${record.name}: report of a QFLARE matrix`,
    heading: heading(record),
    main: [...gridsOf(record).map((grid, i) => gridSection(grid, i)), cellsSection(record)],
    footer: `Simulated. Left out: ${record.leftOut.join('; ')}.`,
  });
}

function heading({ name, description, cells, pending, data }: LabRecord): Markup {
  const [tone, status] = pending === 0 ? ['green', 'complete'] : ['amber', `${formatCount(pending, 'cell')} to run`];
  return markup`<header>
<p class="brand">QFLARE lab</p>
<h1><bdi>${name}</bdi></h1>
<p class="run-line"><span class="status tone-${tone}">${status}</span><span>${formatCount(cells.length, 'cell')}</span><span>data: ${data}</span></p>
<p class="lead">${description}</p>
</header>`;
}

function gridSection(grid: Grid, index: number): Markup {
  const place = Object.entries(grid.place);
  const title = place.length === 0 ? 'All cells' : place.map(([name, value]) => `${name}: ${value}`).join(' · ');
  const map = heatMap(grid, { id: `heat-${index}`, title: `${title}: accuracy of the last round` });
  const curves = renderPlot(worstCurves(grid, { id: `curves-${index}`, title: `${title}: lowest column by round` }));
  return markup`<section>
<h2>${title}</h2>
<p class="note">Accuracy of the last round in per cent, mean over the seeds; not the best on the way. Point at a tile for its deviation.</p>
<div class="card plot-frame"><figure><div class="scroll" tabindex="0" role="group" aria-label="heat map, scrollable">${map}</div></figure></div>
<div class="card plot-frame"><figure><h3>Each ${grid.rows.name} under its lowest ${grid.columns.name}</h3><div class="scroll" tabindex="0" role="group" aria-label="curves, scrollable">${curves}</div></figure></div>
</section>`;
}

function cellsSection({ axes, cells }: LabRecord): Markup {
  const names = axes.map(({ name }) => name);
  return markup`<section>
<h2>Cells</h2>
<p class="note">Each row can be run again alone.</p>
<div class="card table-frame scroll" tabindex="0" role="group" aria-label="cells, scrollable"><table>
<thead><tr>${names.map((name) => markup`<th scope="col">${name}</th>`)}<th scope="col" class="number">last</th><th scope="col" class="number">best</th><th scope="col">command</th></tr></thead>
<tbody>
${cells.map((cell) => row(cell, names))}
</tbody></table></div>
</section>`;
}

function row({ axes, outcome, command }: CellRecord, names: readonly string[]): Markup {
  const note = outcome.reason === null ? null : markup` <span class="reason">${outcome.reason}</span>`;
  return markup`<tr>${names.map((name) => markup`<td class="word">${axes[name] ?? ''}</td>`)}<td class="number">${formatShare(outcome.accuracy)}${note}</td><td class="number">${formatShare(outcome.best)}</td><td><code>${command}</code></td></tr>
`;
}
