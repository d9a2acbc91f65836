import { sha256 } from '@noble/hashes/sha2.js';
import type { DemoRecord, RunRecord } from '../round/run-record.ts';
import { clientsSection } from './clients-table.ts';
import { figuresSections } from './figures.ts';
import { markup, ownText, toText, type Markup } from './markup.ts';
import type { Tone } from './palette.ts';
import { commandSection, planSection } from './plan-section.ts';
import { privacySection } from './privacy-section.ts';
import { roundsSection } from './rounds-table.ts';
import { reportCss } from './style.ts';
import { summarySection } from './summary.ts';

const statusTones: Readonly<Record<RunRecord['status'], Tone>> = {
  running: 'blue',
  completed: 'green',
  stopped: 'amber',
  failed: 'orange',
};

/**
 * The report of a run as one HTML document: no script, nothing loaded from elsewhere, and every text from outside
 * escaped. Its policy allows this style sheet, by hash, and nothing else.
 *
 * Promises: the same records give the same bytes. A figure that was not measured is a dash, with the reason beside it.
 */
export function renderReport(run: RunRecord, demo?: DemoRecord): string {
  const policy = `default-src 'none'; style-src 'sha256-${sha256(new TextEncoder().encode(reportCss)).toBase64()}'; base-uri 'none'; form-action 'none'`;
  return toText(markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${run.name}: report of a QFLARE run</title>
<style>${ownText(reportCss)}</style>
</head>
<body>
${heading(run)}
<main>
${summarySection(run, demo)}
${figuresSections(run, demo)}
${roundsSection(run)}
${clientsSection(run, demo)}
${privacySection(run)}
${planSection(run)}
${commandSection(demo)}
</main>
<footer><p>The figures of the run are read from its journal.${demo === undefined ? '' : ' The comparisons, and who attacked, come from the demo.'}</p></footer>
</body>
</html>
`);
}

function heading(run: RunRecord): Markup {
  const reason = run.reason === null ? null : markup`<span>${run.reason}</span>`;
  return markup`<header>
<p class="brand">QFLARE</p>
<h1><bdi>${run.name}</bdi></h1>
<p class="run-line"><span class="status tone-${statusTones[run.status]}">${run.status}</span>${reason}<span>run <code>${run.runId}</code></span><span>organisation <code>${run.orgId}</code></span></p>
</header>`;
}
