import { csvText } from '../csv.ts';
import { formatShare } from '../format.ts';
import { markup, ownText, toText } from '../markup.ts';
import { paletteCss, plotCss } from '../palette.ts';
import { type Plot, plotWidth, renderPlot } from '../plot.ts';
import { linearScale, logScale } from '../scale.ts';

/** One setting that was tried, and what it gave. */
export type Trial = {
  readonly epsilon: number;
  readonly rounds: number;
  readonly clipNorm: number;
  readonly noiseMultiplier: number;
  readonly sampleRate: number;
  /** Expected number of clients in a round. */
  readonly cohort: number;
  readonly accuracy: number;
  /** Over the seeds; null for one. */
  readonly deviation: number | null;
  /** Whether no other trial has more accuracy at this ε or less. */
  readonly isBest: boolean;
};

/** A search for the best accuracy at each ε. */
export type SearchRecord = {
  readonly name: string;
  readonly simulated: true;
  readonly data: string;
  readonly delta: number;
  readonly clients: number;
  /** In the order in which they were chosen. */
  readonly trials: readonly Trial[];
  readonly pending: number;
};

const columns = {
  epsilon: ({ epsilon }) => epsilon,
  accuracy: ({ accuracy }) => accuracy,
  deviation: ({ deviation }) => deviation,
  rounds: ({ rounds }) => rounds,
  clip_norm: ({ clipNorm }) => clipNorm,
  noise_multiplier: ({ noiseMultiplier }) => noiseMultiplier,
  sample_rate: ({ sampleRate }) => sampleRate,
  cohort: ({ cohort }) => cohort,
  best: ({ isBest }) => (isBest ? 1 : 0),
} as const satisfies Record<string, (trial: Trial) => number | null>;

/** trials.csv: a heading, then one row for each trial in the order in which they were chosen. */
export function tradeoffCsv({ trials }: SearchRecord): string {
  return csvText([Object.keys(columns), ...trials.map((trial) => Object.values(columns).map((read) => read(trial)))]);
}

/** The trials that no other one beats, by ε. */
export function bestTrials({ trials }: SearchRecord): readonly Trial[] {
  return trials.filter(({ isBest }) => isBest).sort((a, b) => a.epsilon - b.epsilon);
}

const edge = 20;
const top = 66;

/** A picture of its own: accuracy against ε, every trial and the front. */
export function tradeoffSvg(record: SearchRecord): string {
  const plot = tradeoffPlot(record);
  const [width, height] = [plotWidth + 2 * edge, plot.height + top + edge];
  const css = `${paletteCss('.card')}${plotCss}.card .back{fill:var(--surface);stroke:var(--edge)}.card .heading{fill:var(--text);font-size:17px;font-weight:600}`;
  return toText(markup`<svg xmlns="http://www.w3.org/2000/svg" class="plot card" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>${ownText(css)}</style>
<rect class="back" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
<text class="heading" x="${edge}" y="32">${plot.title}</text>
<text x="${edge}" y="51">${`${record.data}, ${record.clients} simulated clients, δ = ${record.delta}`}</text>
<svg x="${edge}" y="${top}" width="${plotWidth}" height="${plot.height}">
${renderPlot(plot)}
</svg>
</svg>
`);
}

function tradeoffPlot(record: SearchRecord): Plot {
  const pointOf = (trial: Trial) => ({
    x: trial.epsilon,
    y: trial.accuracy,
    title: `ε ${trial.epsilon}: ${formatShare(trial.accuracy)}, ${trial.rounds} rounds, clip norm ${trial.clipNorm}, noise multiplier ${trial.noiseMultiplier.toPrecision(4)}, cohort ${trial.cohort.toFixed(1)}`,
  });
  const best = bestTrials(record);
  const others = record.trials.filter(({ isBest }) => !isBest);
  return {
    id: 'tradeoff',
    title: 'Accuracy against ε',
    description: `${best.length} of ${record.trials.length} trials are beaten by none`,
    height: 360,
    x: { label: 'ε (logarithmic)', scale: logScale(record.trials.map(({ epsilon }) => epsilon)), format: String },
    y: {
      label: 'accuracy',
      scale: linearScale(
        record.trials.map(({ accuracy }) => accuracy),
        { least: 0, most: 1 },
      ),
      format: (tick) => `${(100 * tick).toFixed(0)} %`,
    },
    series: [
      {
        name: 'Front',
        figure: null,
        tone: 'blue',
        marker: { shape: 'circle', isSolid: true },
        line: { dash: null },
        points: best.map(pointOf),
      },
      {
        name: 'Beaten',
        figure: null,
        tone: 'green',
        marker: { shape: 'square', isSolid: false },
        line: 'none',
        points: others.map(pointOf),
      },
    ],
    bands: [],
  };
}
