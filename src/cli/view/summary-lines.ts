import { profileOf } from '../../core/protocol/channel-profile.ts';
import type { DemoRecord, RunRecord } from '../../core/round/run-record.ts';
import {
  detectionSentence,
  isNumber,
  runFacts,
  whyNoAccuracy,
  whyNoEvaluation,
  whyNoTls,
} from '../../core/report/facts.ts';
import { formatBytes, formatCount, formatSeconds, formatShare } from '../../core/report/format.ts';
import { plainColors, printable, type Colors } from './text.ts';

type SummaryOptions = {
  readonly files: readonly { readonly label: string; readonly path: string }[];
  readonly colors?: Colors;
};

/** One line of the summary: the name stands beside the first of several lines only. */
type Line = readonly [name: string, text: string];

const nameWidth = 12;

/** What is printed at the end of a run. A comparison is labelled simulated; a missing figure says why it is missing. */
export function summaryLines(run: RunRecord, demo: DemoRecord | undefined, options: SummaryOptions): string[] {
  const colors = options.colors ?? plainColors;
  const lines: Line[] = [
    ...accuracyLines(run, demo, colors),
    evaluationLine(run),
    ...flaggedLines(run, demo, colors),
    ...channelLines(run),
    ['Traffic', `${formatBytes(run.bytesUp)} up, ${formatBytes(run.bytesDown)} down`],
    timeLine(run),
    ...fileLines(options),
  ];
  return lines.map(([name, text]) => `  ${colors.dim(name.padEnd(nameWidth))}${text}`);
}

function accuracyLines(run: RunRecord, demo: DemoRecord | undefined, colors: Colors): Line[] {
  const { final, shareOfCentralized } = runFacts(run, demo);
  const value = (share: number | null) => formatShare(share).padStart(8);
  const why = whyNoAccuracy(run) ?? `on the coordinator's test data, after round ${final!.round}`;
  const lines: Line[] = [['Accuracy', `${colors.bold(value(final?.accuracy ?? null))}  ${why}`]];
  if (demo === undefined) return lines;
  const share = shareOfCentralized === null ? '' : `, of which this run has ${formatShare(shareOfCentralized)}`;
  return [
    ...lines,
    ['', `${value(demo.undefended?.accuracy ?? null)}  ${comparison('the same run without defence', demo.undefended)}`],
    [
      '',
      `${value(demo.centralized?.accuracy ?? null)}  ${comparison('centralised training', demo.centralized)}${share}`,
    ],
  ];
}

function comparison(name: string, outcome: DemoRecord['undefended']): string {
  return outcome === null ? `${name}: not run` : `${name} (simulated)`;
}

function evaluationLine(run: RunRecord): Line {
  const { evaluation } = runFacts(run);
  if (evaluation === null) return ['At clients', whyNoEvaluation];
  const { accuracy, reports, worst } = evaluation.clients;
  const text = `mean of ${formatCount(reports, 'hold-out')}, worst ${formatShare(worst.accuracy)} (${printable(worst.clientId)})`;
  return ['At clients', `${formatShare(accuracy).padStart(8)}  ${text}`];
}

function flaggedLines(run: RunRecord, demo: DemoRecord | undefined, colors: Colors): Line[] {
  const { detection } = runFacts(run, demo);
  const names = run.flagged.length === 0 ? 'none' : colors.yellow(run.flagged.map(printable).join(', '));
  const lines: Line[] = [['Flagged', names]];
  if (demo === undefined || detection === null) return lines;
  const attackers = demo.attackers.map(({ clientId, attack }) => `${printable(clientId)} (${printable(attack)})`);
  return [
    ['Attackers', attackers.length === 0 ? 'none' : attackers.join(', ')],
    ...lines,
    ['', printable(detectionSentence(detection))],
  ];
}

function channelLines({ tls, signature, kem, plan }: RunRecord): Line[] {
  const profile = profileOf(plan);
  const read = tls === null ? whyNoTls : `${tls.group}, ${tls.protocol}, ${tls.cipher} (read by the clients)`;
  return [
    ['Channel', printable(read)],
    ...(profile === null ? [] : [['Profile', printable(profile)] as Line]),
    ['Messages', printable(`sealed with ${kem}, signed with ${signature}`)],
  ];
}

function timeLine(run: RunRecord): Line {
  const { completed, aborted } = runFacts(run);
  const failures = aborted === 0 ? '' : `, ${aborted} aborted`;
  const text = `${formatSeconds(isNumber(run.seconds) ? run.seconds : null)}, ${formatCount(completed, 'round')} completed${failures}`;
  return ['Time', text];
}

function fileLines({ files }: SummaryOptions): Line[] {
  const width = Math.max(0, ...files.map(({ label }) => label.length));
  return files.map(({ label, path }, i) => [i === 0 ? 'Files' : '', `${label.padEnd(width)}  ${printable(path)}`]);
}
