import type { HistogramFigures } from '../../core/round/histograms.ts';

const valuesMax = 20;

/** A histogram for people: what was asked and how, then each value with its standard error. */
export function histogramLines(histogram: HistogramFigures): readonly string[] {
  const { name, of, from, mechanism, epsilon, reports, reach, values } = histogram;
  const asked = `${name}: ${of} from round ${from} on, ${mechanism} at ε = ${epsilon}, ${reports} reports`;
  if (reach === null) return [asked];
  const shown = values.slice(0, valuesMax).map(({ value, frequency, standardError }) => {
    return `${value} ${frequency.toFixed(3)} ± ${standardError.toFixed(3)}`;
  });
  const rest = values.length > valuesMax ? [`and ${values.length - valuesMax} more values`] : [];
  return [
    `${asked}; one report that lies moves a value by up to ${reach.toPrecision(2)}`,
    `  ${[...shown, ...rest].join(', ')}`,
  ];
}
