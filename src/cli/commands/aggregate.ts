import process from 'node:process';
import { Command, InvalidArgumentError } from 'commander';
import type { AggregateReport } from '../../core/aggregation/entry.ts';
import type { Input } from '../aggregate/read-rows.ts';
import { Failure } from '../failure.ts';

type Options = {
  readonly pipeline: string;
  readonly reference?: string;
  readonly seed?: number;
  readonly out?: string;
  readonly rules?: boolean;
  readonly json?: boolean;
};

export function aggregateCommand(): Command {
  return new Command('aggregate')
    .description('Aggregate rows or models by a robust pipeline')
    .argument('[files...]', 'one JSON file of rows, or one safetensors file per client')
    .option('--pipeline <steps>', 'JSON, or in short: "nnm f=1 > trimmed-mean f=1"', 'median')
    .option('--reference <file>', 'last output, pivot or trusted update, as safetensors')
    .option('--seed <integer>', 'the only source of randomness', toInteger)
    .option('--out <file>', 'write the result as safetensors')
    .option('--rules', 'list every rule with its proven range and its options')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(runAggregate);
}

const examples = `
Examples:
  qflare aggregate rows.json --pipeline "nnm f=1 > trimmed-mean f=1"
  qflare aggregate --rules
  qflare aggregate a.safetensors b.safetensors c.safetensors --pipeline "median" --out merged.safetensors
A JSON file holds rows of numbers, [[1, 2], [3, 4]], or { "rows": …, "clientIds"?: …, "weights"?: …, "reference"?: …,
"root"?: …, "history"?: … }. A row with a NaN or an infinity is dropped and reported. In JSON they are written "NaN", "Infinity", "-Infinity".
`;

function toInteger(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be an integer.');
  return Number(text);
}

async function runAggregate(files: readonly string[], options: Options): Promise<void> {
  if (options.rules === true) return void process.stdout.write(await ruleTable());
  if (files.length === 0) {
    throw new Failure('plan', 'Cannot aggregate as there must be a file: none was named (see qflare aggregate --help)');
  }
  const { parsePipelineText } = await import('../../core/aggregation/pipeline-text.ts');
  const { readInput } = await import('../aggregate/read-rows.ts');
  const { aggregateWithReport } = await import('../../core/aggregation/entry.ts');
  const input = await readInput(files, options.reference);
  const report = await aggregateWithReport(input.rows, parsePipelineText(options.pipeline), {
    ...(input.isNamed ? { clientIds: input.clientIds } : {}),
    ...(input.root === undefined ? {} : { root: input.root }),
    ...(input.history === undefined ? {} : { history: input.history }),
    ...(input.weights === undefined ? {} : { weights: input.weights }),
    ...(input.reference === undefined ? {} : { reference: input.reference }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  if (options.out !== undefined) await writeModel(options.out, input, report);
  process.stdout.write(options.json === true ? `${JSON.stringify(summary(input, report))}\n` : render(input, report));
}

/** A line for each rule: what comes before an aggregator first. */
async function ruleTable(): Promise<string> {
  const { registry } = await import('../../core/aggregation/index.ts');
  const lines = Object.entries(registry).map(([id, { schema, rule }]) => {
    const options = Object.keys(schema.shape).filter((name) => name !== 'rule');
    const kind = rule.kind === 'mix' ? 'pre-aggregator' : 'aggregator';
    return `${id.padEnd(20)}${kind.padEnd(16)}${rule.range.padEnd(22)}${options.join(', ')}\n`;
  });
  return `${'rule'.padEnd(20)}${'kind'.padEnd(16)}${'proven for'.padEnd(22)}options\n${lines.join('')}`;
}

async function writeModel(path: string, { manifest }: Input, { vector }: AggregateReport): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  const { encodeSafetensors } = await import('../../core/model/safetensors.ts');
  const { tensor } = await import('../../core/model/manifest.ts');
  const values = Float32Array.from(vector);
  await writeFile(path, encodeSafetensors(manifest ?? [tensor('aggregate', values.length)], values));
}

function summary(input: Input, { vector, weights, dropped, diagnostics }: AggregateReport): object {
  return {
    vector: Array.from(vector),
    clients: input.clientIds.map((clientId, i) => ({
      clientId,
      weight: weights?.[i] ?? null,
      norm: diagnostics.norms[i],
      cosine: diagnostics.cosines[i],
    })),
    dropped: dropped.map(({ clientId, reason }) => ({ clientId, reason })),
    // Indices in the findings count the rows that were kept, in this order.
    kept: diagnostics.kept.map((i) => input.clientIds[i]),
    findings: plain(diagnostics.findings),
  };
}

/** Typed arrays as arrays, as JSON has them. */
function plain(findings: Readonly<Record<string, unknown>>): object {
  const lists = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as never) : value;
  return JSON.parse(JSON.stringify(findings, lists));
}

const shownValues = 20;

function render(input: Input, { vector, weights, dropped, diagnostics }: AggregateReport): string {
  const width = Math.max(6, ...input.clientIds.map((id) => id.length));
  const lines = [`${'client'.padEnd(width)}   weight      norm    cosine`];
  const cell = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(4)).padStart(9);
  for (const [i, id] of input.clientIds.entries()) {
    if (dropped.some(({ index }) => index === i))
      lines.push(`${id.padEnd(width)}   dropped: it has a NaN or an infinity`);
    else {
      lines.push(
        `${id.padEnd(width)} ${[weights?.[i], diagnostics.norms[i], diagnostics.cosines[i]].map(cell).join(' ')}`,
      );
    }
  }
  const shown = Array.from(vector.slice(0, shownValues), (value) => Number(value.toPrecision(6)));
  const rest = vector.length > shownValues ? ` … and ${vector.length - shownValues} more` : '';
  return `${lines.join('\n')}\n\naggregate  ${shown.join(' ')}${rest}\n`;
}
