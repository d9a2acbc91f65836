// Where things lie in the drawings: places that can be reckoned, nothing outside, nothing on top of another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderAccuracySvg } from './accuracy-svg.ts';
import { clientStatistics } from './client-statistics.ts';
import { formatNumber } from './format.ts';
import { heatMap } from './lab/heat-map.ts';
import type { LabRecord } from './lab/record.ts';
import { gridsOf } from './lab/summary.ts';
import { toText } from './markup.ts';
import { normsPlot } from './norms.ts';
import { type Plot, renderPlot, type Series, spreadApart } from './plot.ts';
import { roundsSection } from './rounds-table.ts';
import { linearScale, logScale } from './scale.ts';
import { syntheticRun } from './synthetic-run.fixture.ts';
import { verdictMap } from './verdict-map.ts';

const { run, demo } = syntheticRun();
type Box = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly tag: string;
};
const numberOf = (tag: string, name: string) => Number(new RegExp(`\\b${name}="([^"]+)"`).exec(tag)?.[1] ?? Number.NaN);
const boxesOf = (svg: string, kind: string): Box[] =>
  [...svg.matchAll(new RegExp(`<rect class="${kind}[^>]*>`, 'g'))].map(([tag]) => ({
    x: numberOf(tag, 'x'),
    y: numberOf(tag, 'y'),
    width: numberOf(tag, 'width'),
    height: numberOf(tag, 'height'),
    tag,
  }));
const textsOf = (svg: string) =>
  [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([tag, text]) => ({
    x: numberOf(tag, 'x'),
    y: numberOf(tag, 'y'),
    text: text ?? '',
  }));
const sizeOf = (svg: string) => [numberOf(svg, 'width'), numberOf(svg, 'height')] as const;
const near = (actual: number, wanted: number, name: string, error = 0.011) =>
  assert.ok(Math.abs(actual - wanted) <= error, `${name}: ${actual} instead of ${wanted}`);

test('verdictMap(): one tile for each client and round, on a lattice inside the picture, names beside and above it', () => {
  for (const repeat of [1, 4, 12, 40]) {
    const rounds = Array.from({ length: repeat }, (_, k) =>
      run.rounds.map((one) => ({ ...one, round: one.round + 20 * k })),
    ).flat();
    const svg = toText(verdictMap({ ...run, rounds }, demo));
    const [width, height] = sizeOf(svg);
    const tiles = boxesOf(svg, 'tile').filter(({ y }) => y >= 44);
    const columns = tiles.length / run.clientIds.length;
    assert.ok(Number.isInteger(columns) && columns >= 20, `${columns} columns`);
    const first = tiles[0]!;
    const pitch = tiles[1]!.x - first.x;
    tiles.forEach((tile, i) => {
      near(tile.x, first.x + (i % columns) * pitch, 'column', 0.01 * (columns + 1));
      assert.equal(tile.y, 44 + 24 * Math.floor(i / columns));
      assert.ok(tile.height < 24 && tile.height > 12 && tile.width > 0.9 && tile.width <= pitch + 0.02);
      assert.ok(tile.x + tile.width <= width && tile.y + tile.height <= height, 'inside');
    });
    assert.ok(columns < 30 ? first.width === pitch - 3 : true, 'a gap of 3 where there is room');
    const texts = textsOf(svg);
    run.clientIds.forEach((clientId, row) => {
      const name = texts.find(({ text }) => text === clientId)!;
      assert.ok(name.x < first.x && name.y > 44 + 24 * row && name.y < 44 + 24 * row + 21, clientId);
    });
    // A round's number stands over the middle of its column.
    const shown = texts.filter(({ text, y }) => y === 36 && text !== 'round');
    assert.ok(shown.length >= 3);
    const start = tiles.length === 200 ? 1 : Number(/round (\d+):/.exec(svg)![1]);
    for (const { text, x } of shown)
      near(x, first.x + (Number(text) - start) * pitch + first.width / 2, `round ${text}`, 0.5);
    for (const [, x, y] of svg.matchAll(/<path class="mark is-solid" transform="translate\(([\d.]+) ([\d.]+)\)/g)) {
      assert.ok(
        Number(y) < 44 || (Number(x) < first.x && Number(x) > first.x - 28),
        'an attacker is marked between name and tiles',
      );
    }
  }
  // Glyphs lie inside their tiles: the one of a flag crosses its middle.
  const svg = toText(verdictMap(run, demo));
  const flags = [
    ...svg.matchAll(
      /<rect class="tile is-solid"[^>]*>\s*<path class="glyph is-inverse" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)M/g,
    ),
  ];
  assert.equal(flags.length, 38, '37 flags and one in the legend');
  for (const [tag, west, north, east, south] of flags) {
    near((Number(west) + Number(east)) / 2, numberOf(tag, 'x') + numberOf(tag, 'width') / 2, 'middle');
    near((Number(north) + Number(south)) / 2, numberOf(tag, 'y') + numberOf(tag, 'height') / 2, 'middle');
    assert.ok(Number(west) > numberOf(tag, 'x') && Number(west) < Number(east) && Number(north) < Number(south));
  }
});

const outcome = (accuracy: number | null) =>
  ({
    status: 'completed',
    reason: null,
    accuracy,
    loss: 1,
    best: accuracy,
    curve: [],
    attackSuccess: null,
    detection: null,
    modelHash: 'a',
  }) as unknown as LabRecord['cells'][number]['outcome'];
const accuracies: Readonly<Record<string, readonly (number | null)[]>> = {
  mean: [0.9, 0.1, 0.5],
  krum: [0.8, 0.3, null],
  median: [0.7, 0.7, 0.6],
};
const attackNames = ['none', 'flip', 'noise'];
const lab = {
  name: 'x',
  description: '',
  simulated: true,
  leftOut: [],
  data: 'none',
  pending: 0,
  axes: [
    { name: 'attack', values: attackNames },
    { name: 'rule', values: Object.keys(accuracies) },
    { name: 'seed', values: ['1'] },
  ],
  cells: Object.entries(accuracies).flatMap(([rule, list]) =>
    list.map((accuracy, i) => ({
      key: `${rule}${i}`,
      axes: { rule, attack: attackNames[i]!, seed: '1' },
      command: '',
      outcome: outcome(accuracy),
    })),
  ),
} as unknown as LabRecord;

test('heatMap(): values in the middle of their cells, the darker the higher, and the lowest of each row at its end', () => {
  const svg = toText(heatMap(gridsOf(lab)[0]!, { id: 'h', title: 'Heat' }));
  const cells = boxesOf(svg, 'heat');
  assert.equal(cells.length, 12);
  const values = textsOf(svg).filter(({ text }) => /^\d/.test(text));
  assert.deepEqual(
    values.map(({ text }) => text),
    ['90.0', '10.0', '50.0', '10.0 flip', '80.0', '30.0', '30.0 flip', '70.0', '70.0', '60.0', '60.0 noise'],
  );
  const measured = cells.filter(({ tag }) => !tag.includes('is-none'));
  measured.forEach((cell, i) => {
    near(values[i]!.x, cell.x + cell.width / 2, 'middle');
    assert.ok(values[i]!.y > cell.y && values[i]!.y < cell.y + cell.height);
    const mean = Number.parseFloat(values[i]!.text) / 100;
    near(numberOf(cell.tag, 'fill-opacity'), 0.04 + ((mean - 0.1) / 0.8) * 0.46, 'shade', 0.0006);
  });
  const [width, height] = sizeOf(svg);
  cells.forEach((cell, i) => {
    assert.ok(cell.x > 0 && cell.x + cell.width <= width && cell.y + cell.height <= height);
    const next = cells[i + 1];
    if (next !== undefined && next.y === cell.y) assert.ok(next.x >= cell.x + cell.width, 'side by side');
    if (next !== undefined && next.y !== cell.y) assert.ok(next.y >= cell.y + cell.height, 'one below the other');
  });
  assert.match(svg, /3 by 3 mean accuracies, from 10\.0 to 90\.0\./);
  for (const rule of Object.keys(accuracies))
    assert.ok(textsOf(svg).find(({ text }) => text === rule)!.x < cells[0]!.x);
  // Where all are alike there is one shade, in the middle.
  const alike = { ...lab, cells: lab.cells.map((cell) => ({ ...cell, outcome: outcome(0.5) })) };
  for (const { tag } of boxesOf(toText(heatMap(gridsOf(alike)[0]!, { id: 'h', title: '' })), 'heat'))
    assert.equal(numberOf(tag, 'fill-opacity'), 0.25);
});

const series = (name: string, points: readonly (readonly [number, number])[], more: Partial<Series> = {}): Series => ({
  name,
  figure: null,
  tone: 'blue',
  marker: { shape: 'circle', isSolid: true },
  line: { dash: null },
  points: points.map(([x, y]) => ({ x, y, title: `${x}` })),
  ...more,
});
const plotOf = (list: readonly Series[], bands: Plot['bands'] = []): string =>
  toText(
    renderPlot({
      id: 'p',
      title: 'P',
      description: '',
      height: 300,
      x: { label: 'x', scale: { ...linearScale([0, 10]), low: 0, high: 10 }, format: String },
      y: { label: 'y', scale: linearScale([0, 10]), format: String },
      series: list,
      bands,
    }),
  );

test('renderPlot(): points, lines, ticks and shades where their values are', () => {
  // The drawing area goes from x = 74 to 734 and from y = 256 up to 28: 66 and 22.8 for each unit.
  const [x, y] = [(value: number) => 74 + 66 * value, (value: number) => 256 - 22.8 * value];
  const svg = plotOf(
    [
      series(
        'a',
        [
          [0, 0],
          [5, 10],
          [10, 2.5],
        ],
        {
          figure: '2.5',
          spread: [
            { x: 0, low: 0, high: 1 },
            { x: 10, low: 2, high: 4 },
          ],
        },
      ),
    ],
    [{ x: 3, title: 'aborted' }],
  );
  assert.ok(svg.includes(`<path class="line" d="M74 256L${x(5)} 28L734 ${y(2.5)}"/>`), svg);
  const marks = [...svg.matchAll(/translate\(([\d.]+) ([\d.]+)\)/g)].map(([, a, b]) => [Number(a), Number(b)]);
  assert.deepEqual(marks.slice(0, 3), [
    [74, 256],
    [404, 28],
    [734, 199],
  ]);
  assert.ok(svg.includes(`<path class="spread" d="M74 ${y(1)}L734 ${y(4)}L734 ${y(2)}L74 256Z"/>`), svg);
  const [band] = boxesOf(svg, 'band');
  near(band!.x + band!.width / 2, x(3), 'band');
  assert.deepEqual([band!.y, band!.height, band!.width], [28, 228, 24]);
  const grid = [...svg.matchAll(/<line class="grid" x1="64" x2="744" y1="([\d.]+)" y2="([\d.]+)"/g)].map(([, a]) =>
    Number(a),
  );
  grid.forEach((at, i) => near(at, y(2 * i), 'grid'));
  assert.equal(grid.length, 6);
  const texts = textsOf(svg);
  for (const [label, at] of [
    ['0', x(0)],
    ['4', x(4)],
    ['10', x(10)],
  ] as const)
    assert.ok(
      texts.some((text) => text.text === label && text.x === at && text.y > 256 && text.y < 300),
      label,
    );
  for (const label of ['0', '4', '10'])
    assert.ok(
      texts.some(({ text, ...at }) => text === label && at.x < 64 && Math.abs(at.y - y(Number(label))) <= 5),
      label,
    );
  near(texts.find(({ text }) => text === 'x')!.x, (64 + 744) / 2, 'label');
  const [name, figure] = ['a', '2.5'].map((wanted) => texts.find(({ text, x: at }) => text === wanted && at > 744)!);
  assert.ok(name!.y < figure!.y && figure!.y - name!.y < 20 && Math.abs(name!.y - y(2.5)) < 6 && name!.x === figure!.x);
});

test('renderPlot(): a long line has forty marks at most and one at its end; empty series and points alone are told apart', () => {
  const long = plotOf([
    series(
      'long',
      Array.from({ length: 101 }, (_, i) => [i / 10, 5] as const),
    ),
  ]);
  const marks = [...long.matchAll(/translate\(([\d.]+) 142\)"[^>]*><title>/g)].map(([, a]) => Number(a));
  // Every third, counted from the end.
  assert.equal(marks.length, 34);
  assert.equal(marks.at(-1), 734);
  near(marks[1]! - marks[0]!, 3 * 6.6, 'stride', 0.02);
  const points = plotOf([
    series(
      'points',
      Array.from({ length: 101 }, (_, i) => [i / 10, 5] as const),
      { line: 'none' },
    ),
    series('none', []),
  ]);
  assert.equal([...points.matchAll(/<title>[\d.]+<\/title>/g)].length, 101);
  assert.ok(!points.includes('class="line"') && !points.includes('>none<'));
  assert.match(
    plotOf([
      series(
        'd',
        [
          [0, 0],
          [1, 1],
        ],
        { line: { dash: '2 5' }, marker: null },
      ),
    ]),
    /stroke-dasharray="2 5" d="M74 256/,
  );
});

test('spreadApart() moves as little as keeps the gap, and stays between the ends', () => {
  assert.deepEqual(spreadApart([10, 50, 90], 20, [0, 100]), [10, 50, 90]);
  assert.deepEqual(spreadApart([50, 50, 50], 20, [0, 100]), [50, 70, 90]);
  assert.deepEqual(spreadApart([95, 90], 20, [0, 100]), [100, 80]);
  assert.deepEqual(spreadApart([0, 0], 20, [5, 100]), [5, 25]);
  assert.deepEqual(spreadApart([100, 100, 100], 30, [0, 100]), [40, 70, 100]);
});

test('the picture of the accuracies holds its plot, and norms are drawn by who sent them', () => {
  const [outer, inner] = [...renderAccuracySvg(run, demo).matchAll(/<svg[^>]*>/g)].map(([tag]) => sizeOf(tag));
  assert.ok(
    outer![0] >= 960 + 20 &&
      outer![1] > 300 &&
      (inner === undefined || (inner[0] <= outer![0] && inner[1] <= outer![1])),
  );
  const plot = normsPlot(run, demo);
  const shapes = Object.fromEntries(
    plot.series.map(({ name, marker }) => [
      name,
      marker === null ? null : [marker.shape, marker.isSolid, marker.isSmall],
    ]),
  );
  assert.deepEqual(shapes['Honest, not flagged'], ['circle', false, false]);
  assert.deepEqual(
    Object.values(shapes)
      .filter((shape) => shape?.[0] === 'triangle')
      .every((shape) => shape![2] === false),
    true,
  );
  assert.deepEqual([0.0005, 0.001, 1, 99_999, 1e5, 2e6].map(plot.y.format), [
    '5e-4',
    '0.001',
    '1',
    '99999',
    '1e5',
    '2e6',
  ]);
  assert.deepEqual([0, 0.001, 0.00099, 99_999, 1e5, -2e6].map(formatNumber), [
    '0.00',
    '0.001',
    '9.90e-4',
    '99999',
    '1.00e+5',
    '−2.00e+6',
  ]);
  assert.deepEqual(linearScale([3, 3]).ticks.length > 1 && linearScale([3, 3]).low < 3, true);
  near(linearScale([0]).position(0), 0.5, 'zero by itself is in the middle', 0.26);
  assert.deepEqual(logScale([2, 50]).ticks, [2, 5, 10, 20, 50]);
});

test('the table of rounds says why there are dashes, and counts refusals by code', () => {
  const caption = (rounds: typeof run.rounds) =>
    /<caption>([^<]*)/.exec(toText(roundsSection({ ...run, rounds })))?.[1] ?? '';
  const whole = run.rounds.filter(
    ({ accuracy, loss, clients, modelHash }) =>
      accuracy !== null && loss !== null && clients !== null && modelHash !== null,
  );
  assert.ok(whole.length > 3);
  assert.doesNotMatch(caption(whole), /dash/);
  assert.match(
    caption(whole.map((one, i) => (i === 0 ? { ...one, accuracy: null } : one))),
    /A dash for accuracy or loss: not measured\./,
  );
  assert.match(
    caption(whole.map((one, i) => (i === 0 ? { ...one, loss: null } : one))),
    /A dash for accuracy or loss: not measured\./,
  );
  assert.match(caption(whole.map((one) => ({ ...one, accuracy: null }))), /loss: no test data at the coordinator\./);
  assert.match(
    caption(whole.map((one, i) => (i === 1 ? { ...one, clients: null } : one))),
    /A dash for the clients: none reported/,
  );
  assert.match(
    caption(whole.map((one, i) => (i === 1 ? { ...one, modelHash: null } : one))),
    /A dash for the model: none was published\./,
  );
  const refusal = (code: string) => ({ ...run.rounds.flatMap(({ refused }) => refused)[0]!, code });
  const refused = ['bad-signature', 'wrong-shape', 'bad-signature'].map(
    refusal,
  ) as (typeof run.rounds)[number]['refused'];
  assert.match(
    toText(roundsSection({ ...run, rounds: [{ ...whole[0]!, refused }] })),
    /<td>bad-signature × 2, wrong-shape<\/td>/,
  );
  assert.match(toText(roundsSection({ ...run, rounds: [] })), /No round has ended yet/);
});

test('clientStatistics(): reasons that differ in numbers are one, the most frequent first', () => {
  const verdict = run.rounds.flatMap(({ verdicts }) => verdicts)[0]!;
  const of = (reasons: readonly string[], norm: number) => ({
    ...verdict,
    norm,
    cosine: norm / 10,
    reasons,
    isFlagged: reasons.length > 0,
  });
  const rounds = [of(['a lot'], 1), of(['7.5 times', 'a lot'], 2), of(['8 times'], 6), of(['-9e-3 times'], 3)].map(
    (one) => ({ ...run.rounds[0]!, verdicts: [one], flagged: [] }),
  );
  const found = clientStatistics({ ...run, clientIds: [verdict.clientId], rounds })[0]!;
  assert.deepEqual(found.reasons, [
    { example: '-9e-3 times', count: 3 },
    { example: 'a lot', count: 2 },
  ]);
  assert.deepEqual([found.judged, found.flagged, found.meanNorm, found.meanCosine?.toFixed(6)], [4, 4, 3, '0.300000']);
});
