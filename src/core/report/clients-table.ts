import { patternName } from '../detection/pattern/pattern.ts';
import type { DemoRecord, RunRecord } from '../round/run-record.ts';
import { clientStatistics, type ClientStatistics } from './client-statistics.ts';
import { runFacts, whyNoEvaluation } from './facts.ts';
import { formatCount, formatNumber, formatShare } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { clientName } from './summary.ts';

const reasonsMax = 2;

export function clientsSection(run: RunRecord, demo?: DemoRecord): Markup {
  const attacks = demo === undefined ? null : new Map(demo.attackers.map(({ clientId, attack }) => [clientId, attack]));
  const role = attacks === null ? null : markup`<th scope="col">Role</th>`;
  return markup`<section aria-labelledby="clients">
<h2 id="clients">Clients</h2>
<div class="card table-frame scroll" tabindex="0" role="region" aria-labelledby="clients">
<table>
<caption>${caption(run, attacks !== null)}</caption>
<thead><tr><th scope="col">Client</th>${role}<th scope="col" class="number">Took part</th><th scope="col" class="number">Flagged</th><th scope="col" class="number">Refused</th><th scope="col" class="number">Mean norm</th><th scope="col" class="number">Mean cosine</th><th scope="col" class="number">Hold-out</th><th scope="col">Reasons given most often</th></tr></thead>
<tbody>
${clientStatistics(run).map((statistics) => row(statistics, run, attacks))}</tbody>
</table>
</div>
</section>`;
}

function caption(run: RunRecord, knowsAttackers: boolean): string {
  const { evaluation } = runFacts(run);
  const holdout =
    evaluation === null
      ? `A dash for the hold-out: ${whyNoEvaluation}.`
      : `Hold-out: the client’s own accuracy in round ${evaluation.round}; a dash where it did not report.`;
  const roles = knowsAttackers ? ' The roles are known to the demo only; the detector does not see them.' : '';
  return `${formatCount(run.clientIds.length, 'client')}. Took part: rounds in which an update was accepted, of those invited to. Flagged: of the rounds in which the detector looked. ${holdout}${roles}`;
}

function row(statistics: ClientStatistics, run: RunRecord, attacks: ReadonlyMap<string, string> | null): Markup {
  const { clientId, flagged, judged, refused } = statistics;
  const attack = attacks?.get(clientId);
  const role = attacks === null ? null : markup`<td>${attack === undefined ? 'honest' : `attacker: ${attack}`}</td>`;
  const raised = run.flagged.includes(clientId) ? ' raised' : '';
  const reasons = statistics.reasons
    .slice(0, reasonsMax)
    .map(({ example, count }) => markup`<div>${example}${count === 1 ? '' : ` (${count} times like this)`}</div>`);
  const looks =
    statistics.patterns.length === 0
      ? null
      : markup`<div>looks like ${statistics.patterns.map(({ label, count }) => `${patternName(label)} (${formatCount(count, 'round')})`).join(', ')}</div>`;
  return markup`<tr><th scope="row">${clientName(clientId)}</th>${role}<td class="number">${statistics.tookPart} of ${statistics.invited}</td><td class="number${raised}">${flagged} of ${judged}</td><td class="number">${refused}</td><td class="number">${formatNumber(statistics.meanNorm)}</td><td class="number">${formatNumber(statistics.meanCosine)}</td><td class="number">${formatShare(statistics.holdoutAccuracy)}</td><td class="reason">${looks}${reasons}</td></tr>\n`;
}
