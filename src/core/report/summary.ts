import { profileOf } from '../protocol/channel-profile.ts';
import type { DemoRecord, RunRecord } from '../round/run-record.ts';
import { detectionSentence, isNumber, runFacts, whyNoAccuracy, whyNoEvaluation, whyNoTls } from './facts.ts';
import { formatBytes, formatCount, formatDecimals, formatSeconds, formatShare } from './format.ts';
import { markup, type Markup } from './markup.ts';

const flaggedMax = 12;

/** The top of the report: four key figures, then what was negotiated and what it cost. */
export function summarySection(run: RunRecord, demo?: DemoRecord): Markup {
  return markup`<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
<div class="card key-figures">
${[accuracyFigure(run, demo), clientsFigure(run), roundsFigure(run), flaggedFigure(run, demo)]}</div>
<dl class="card facts">
${negotiated(run)}</dl>
${run.tls === null ? null : markup`<p class="note">Key exchange, protocol and cipher are what the clients read from their own connections.</p>`}
</section>`;
}

function figure(name: string, value: string, lines: readonly MarkupLine[]): Markup {
  const paragraphs = lines.filter((line) => line !== null).map((line) => markup`<p>${line}</p>`);
  return markup`<div><h3>${name}</h3><p class="value">${value}</p>${paragraphs}</div>\n`;
}

type MarkupLine = Markup | string | null;

function accuracyFigure(run: RunRecord, demo?: DemoRecord): Markup {
  const { final } = runFacts(run);
  const why = whyNoAccuracy(run);
  const compared = [
    ['centralised', demo?.centralized?.accuracy] as const,
    ['undefended', demo?.undefended?.accuracy] as const,
  ].filter(([, accuracy]) => isNumber(accuracy));
  return figure('Accuracy on test data', formatShare(final?.accuracy ?? null), [
    why ?? `after round ${final!.round}, loss ${formatDecimals(final!.loss, 4)}`,
    ...compared.map(([name, accuracy]) => `${name} ${formatShare(accuracy!)} (simulated)`),
  ]);
}

function clientsFigure(run: RunRecord): Markup {
  const { evaluation } = runFacts(run);
  const name = 'Accuracy at the clients';
  if (evaluation === null) return figure(name, formatShare(null), [whyNoEvaluation]);
  const { clients, round } = evaluation;
  return figure(name, formatShare(clients.accuracy), [
    `after round ${round}, mean of ${formatCount(clients.reports, 'hold-out')}`,
    markup`worst ${formatShare(clients.worst.accuracy)} (${clientName(clients.worst.clientId)})`,
    `spread ${formatShare(clients.accuracySpread)}, ${formatCount(clients.examples, 'example')}`,
    clients.personal === undefined
      ? null
      : markup`their own models ${formatShare(clients.personal.accuracy)}, worst ${formatShare(clients.personal.worst.accuracy)} (${clientName(clients.personal.worst.clientId)})`,
  ]);
}

function roundsFigure(run: RunRecord): Markup {
  const { completed, aborted } = runFacts(run);
  return figure('Rounds completed', String(completed), [
    aborted === 0 ? 'none aborted' : `${aborted} aborted`,
    `${formatSeconds(run.seconds)} ${run.status === 'completed' ? 'from start to saved model' : 'since the start'}`,
  ]);
}

function flaggedFigure(run: RunRecord, demo?: DemoRecord): Markup {
  const { detection } = runFacts(run, demo);
  return figure('Clients flagged', `${run.flagged.length} of ${run.clientIds.length}`, [
    run.flagged.length === 0 ? 'none in more than half of its rounds' : clientNames(run.flagged, flaggedMax),
    detection === null ? null : detectionSentence(detection),
  ]);
}

function negotiated(run: RunRecord): Markup[] {
  const tls = run.tls;
  const fact = (name: string, value: MarkupLine) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>\n`;
  const read = (value: string | undefined) => (value === undefined ? whyNoTls : markup`<code>${value}</code>`);
  const profile = profileOf(run.plan);
  return [
    ...(profile === null ? [] : [fact('Channel profile', profile)]),
    fact('Key exchange', read(tls?.group)),
    fact('Sealed with', markup`<code>${run.kem}</code>`),
    fact('Protocol', read(tls?.protocol)),
    fact('Signed with', markup`<code>${run.signature}</code>`),
    fact('Cipher', read(tls?.cipher)),
    fact('Traffic', `${formatBytes(run.bytesUp)} up, ${formatBytes(run.bytesDown)} down`),
  ];
}

/** A name from outside, kept apart from the direction of the text around it. */
export function clientName(clientId: string): Markup {
  return markup`<bdi>${clientId}</bdi>`;
}

/** Names in a row; beyond `max` their count. */
export function clientNames(clientIds: readonly string[], max: number): Markup {
  const shown = clientIds.slice(0, max);
  const rest = clientIds.length - shown.length;
  return markup`${shown.map((clientId, i) => markup`${i === 0 ? '' : ', '}${clientName(clientId)}`)}${rest === 0 ? '' : ` and ${rest} more`}`;
}
