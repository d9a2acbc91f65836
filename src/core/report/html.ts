import type { DemoRecord, RunRecord } from '../round/run-record.ts';
import { clientsSection } from './clients-table.ts';
import { figuresSections } from './figures.ts';
import { reportDocument } from './document.ts';
import { markup, type Markup } from './markup.ts';
import type { Tone } from './palette.ts';
import { commandSection, planSection } from './plan-section.ts';
import { privacySection } from './privacy-section.ts';
import { roundsSection } from './rounds-table.ts';
import { summarySection } from './summary.ts';

const statusTones: Readonly<Record<RunRecord['status'], Tone>> = {
  running: 'blue',
  completed: 'green',
  stopped: 'amber',
  failed: 'orange',
};

/**
 * The report of a run as one HTML document: no script, nothing loaded from elsewhere, and every text from outside
 * escaped.
 *
 * Promises: the same records give the same bytes. A figure that was not measured is a dash, with the reason beside it.
 */
export function renderReport(run: RunRecord, demo?: DemoRecord): string {
  const ofDemo = demo === undefined ? '' : ' The comparisons, and who attacked, come from the demo.';
  return reportDocument({
    title: `${run.name}: report of a QFLARE run`,
    heading: heading(run),
    main: [
      summarySection(run, demo),
      figuresSections(run, demo),
      roundsSection(run),
      clientsSection(run, demo),
      privacySection(run),
      planSection(run),
      commandSection(demo),
    ],
    footer: `The figures of the run are read from its journal.${ofDemo}`,
  });
}

function heading(run: RunRecord): Markup {
  const reason = run.reason === null ? null : markup`<span>${run.reason}</span>`;
  return markup`<header>
<p class="brand">QFLARE</p>
<h1><bdi>${run.name}</bdi></h1>
<p class="run-line"><span class="status tone-${statusTones[run.status]}">${run.status}</span>${reason}<span>run <code>${run.runId}</code></span><span>organisation <code>${run.orgId}</code></span></p>
</header>`;
}
