import {
  type ClientBudget,
  forecastText,
  type GroupBudget,
  type PrivacySummary,
  type RunRecord,
} from '../round/run-record.ts';
import { roundAxis } from './curves.ts';
import { formatCount } from './format.ts';
import { markup, type Markup } from './markup.ts';
import { localPart } from './local-section.ts';
import { renderPlot, type Series } from './plot.ts';
import { linearScale } from './scale.ts';
import { clientName } from './summary.ts';

const clientsMax = 200;

/** The privacy page: what was promised, what each round cost, what each client has left and when it runs out. */
export function privacySection(run: RunRecord): Markup | null {
  const { privacy } = run;
  if (privacy === undefined) return null;
  return markup`<section aria-labelledby="privacy">
<h2 id="privacy">Privacy</h2>
<p class="card">${privacy.statement}</p>
${privacy.central === null ? localNote : centralPart(run, privacy.central)}
${privacy.local === undefined ? null : localPart(privacy.local)}
</section>`;
}

const localNote = markup`<p class="note">Each site clips and noises its own updates and counts them itself; what is shown here is what has come from it.</p>`;

function centralPart(run: RunRecord, central: NonNullable<PrivacySummary['central']>): Markup {
  const shown = central.clients.slice(0, clientsMax);
  const simulated = run.rounds.some(({ privacy }) => privacy?.noise === 'simulated');
  const rest = central.clients.length - shown.length;
  return markup`${spendPlot(run)}
<div class="card table-frame scroll" tabindex="0" role="region" aria-labelledby="privacy">
<table>
<caption>Budgets for “${central.purpose}”, ε by ${central.rule}; ${formatCount(central.roundsPlanned, 'round')} planned yet</caption>
<thead><tr><th scope="col">client</th><th scope="col" class="number">spent</th><th scope="col" class="number">granted</th><th scope="col" class="number">rounds left</th><th scope="col" class="number">runs out in rounds (5, 50, 95 %)</th></tr></thead>
<tbody>
${shown.map((client) => budgetRow(client, central.rule))}</tbody>
</table>
</div>
${rest === 0 ? null : markup`<p class="note">and ${formatCount(rest, 'more client')}</p>`}
${(central.groups ?? []).map(groupNote)}
<p class="note">${isSampled(run, central) ? 'ε is for readers who do not see who took part in which round; for one who does it is that of sample rate 1.' : 'ε is for readers who see who took part in which round, too.'} Norms, verdicts and refusals, where they are shown, are for the operator and outside the bound.</p>
${run.isWithheld === true ? markup`<p class="note">Withheld here: participants, refusals, verdicts and traffic.</p>` : null}
${simulated ? markup`<p class="note">The noise was <em>simulated</em>, from a seed: it protects nobody.</p>` : null}`;
}

/** Whether what was spent rests on coins that stay secret. */
function isSampled(run: RunRecord, { sampleRate }: NonNullable<PrivacySummary['central']>): boolean {
  return sampleRate < 1 || run.rounds.some(({ privacy }) => privacy !== undefined && privacy.sampleRate < 1);
}

/** What the clients of one person or site have lost together. */
function groupNote({ name, clients, epsilon, limit }: GroupBudget): Markup {
  const of = limit === null ? 'no limit' : `of ${limit}`;
  return markup`<p class="note">Group ${name} (${formatCount(clients.length, 'client')}): ${epsilon.toFixed(3)} spent together, ${of}.</p>\n`;
}

function budgetRow(client: ClientBudget, rule: 'plan' | 'filter'): Markup {
  const { clientId, granted, roundsLeft } = client;
  const when = forecastText(client);
  return markup`<tr><th scope="row">${clientName(clientId)}</th><td class="number">${client[rule].toFixed(3)}</td><td class="number">${String(granted)}</td><td class="number">${String(roundsLeft)}</td><td class="number">${when}</td></tr>\n`;
}

/** ε of the client that has spent most, by round. */
function spendPlot(run: RunRecord): Markup | null {
  const points = run.rounds.flatMap(({ round, privacy }) =>
    privacy === undefined
      ? []
      : [{ x: round, y: privacy.epsilon, title: `Round ${round}: ε = ${privacy.epsilon.toFixed(3)}` }],
  );
  const last = points.at(-1);
  if (last === undefined) return null;
  const series: Series[] = [
    {
      name: 'ε of the client that has spent most',
      figure: last.y.toFixed(3),
      line: { dash: null },
      points,
      tone: 'purple',
      marker: { shape: 'circle', isSolid: true },
    },
  ];
  const drawing = renderPlot({
    id: 'privacy-spent',
    title: 'Privacy spent by round',
    description: `ε from ${points[0]!.y.toFixed(3)} after round ${points[0]!.x} to ${last.y.toFixed(3)} after round ${last.x}.`,
    height: 240,
    x: roundAxis(run, series),
    y: { label: 'ε', scale: linearScale([0, ...points.map(({ y }) => y)], { tickCount: 4, least: 0 }), format: String },
    series,
    bands: [],
  });
  return markup`<figure class="card plot-frame"><h3>Privacy spent by round</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Privacy spent by round">${drawing}</div></figure>\n`;
}
