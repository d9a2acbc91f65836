import type { HistogramFigures } from '../round/histograms.ts';
import type { LocalSummary } from '../round/run-record.ts';
import { formatCount } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { clientName } from './summary.ts';

const rowsMax = 200;

/** What has come from each site under local privacy, and the histograms that their reports give. */
export function localPart({ mechanism, updatesPlanned, clients, histograms }: LocalSummary): Markup {
  const shown = clients.slice(0, rowsMax);
  const rest = clients.length - shown.length;
  return markup`<div class="card table-frame scroll" tabindex="0" role="region" aria-labelledby="privacy">
<table>
<caption>Updates by ${mechanism}, of ${formatCount(updatesPlanned, 'update')} planned; ε of what has come</caption>
<thead><tr><th scope="col">client</th><th scope="col" class="number">updates</th><th scope="col" class="number">reports</th><th scope="col" class="number">spent</th></tr></thead>
<tbody>
${shown.map(
  ({ clientId, updates, reports, epsilon }) =>
    markup`<tr><th scope="row">${clientName(clientId)}</th><td class="number">${String(updates)}</td><td class="number">${String(reports)}</td><td class="number">${epsilon === null ? 'at the site' : epsilon.toFixed(3)}</td></tr>\n`,
)}</tbody>
</table>
</div>
${rest === 0 ? null : markup`<p class="note">and ${formatCount(rest, 'more client')}</p>`}
${histograms.map(histogramPart)}`;
}

function histogramPart({ name, of, from, mechanism, epsilon, reports, reach, values }: HistogramFigures): Markup {
  const asked = `“${name}”: ${of}, asked from round ${from} on, ${mechanism} at ε = ${epsilon}, ${formatCount(reports, 'report')}`;
  if (reach === null) return markup`<p class="note">${asked}.</p>\n`;
  return markup`<div class="card table-frame scroll" tabindex="0" role="region" aria-label="${name}">
<table>
<caption>${asked}</caption>
<thead><tr><th scope="col">value</th><th scope="col" class="number">share</th><th scope="col" class="number">standard error</th></tr></thead>
<tbody>
${values
  .slice(0, rowsMax)
  .map(
    ({ value, frequency, standardError }) =>
      markup`<tr><th scope="row">${value}</th><td class="number">${frequency.toFixed(3)}</td><td class="number">${standardError.toFixed(3)}</td></tr>\n`,
  )}</tbody>
</table>
</div>
<p class="note">Unbiased, so a share may lie below 0 or above 1. A report that lies moves one share by up to ${reach.toPrecision(2)}.</p>\n`;
}
