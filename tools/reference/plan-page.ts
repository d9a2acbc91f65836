// docs/reference/plan.md, from the plan's schema.
import { z } from 'zod';
import { registry } from '../../src/core/aggregation/index.ts';
import { parsePlan, planSchema } from '../../src/core/plan/plan.ts';
import { defaultText, type Schema, typeText } from './json-schema.ts';
import { code, page, table } from './markdown.ts';

const opening = `What somebody wants of a run, as \`plan.toml\`. Only the model is required:

\`\`\`toml
[model]
kind = "mlp"
layers = [784, 128, 10]
\`\`\`

\`qflare plan FILE\` checks a plan and prints its hash: SHA-256 of its canonical JSON (RFC 8785) with every default filled
in, so a comment, the order of keys and a default that is spelled out change nothing. \`qflare plan FILE --explain\` prints
every setting with its value. An unknown or mistyped setting is refused with its path. A run goes on with the plan it
was created with and with no other.`;

const relations = `## What holds between settings

- \`cohort.size\` is \`cohort.expected\` unless it is set, and at most that.
- \`cohort.quorum\` is two thirds of \`cohort.size\`, rounded up, or the fewest above that with which the pipeline can run;
  at most \`cohort.size\`. A quorum with which the pipeline could never run is refused.
- The pipeline must be able to run on \`cohort.size\` rows. An \`f\` beyond the range of a rule's proof needs
  \`unproven = true\`; an \`f\` with which the rule cannot be computed is refused in any case.
- \`f = "auto"\` is a quarter of the rows, rounded down, or what the rule's proof covers where that is less.
- Pre-aggregators stand before the one aggregator, which comes last.
- \`privacy.mode = "central"\` needs a pipeline with a proven sensitivity (\`centered-clipping\` with one iteration and a
  radius, or \`clipping\` and \`mean\`), no over-selection, no \`cohort.size\` below \`cohort.expected\`, and no exact
  evaluation; each refusal names the nearest plan that is legal. There, \`cohort.quorum\` counts the clients with budget
  that a round opens with, not contributions.`;

/** Every setting with its type, default and meaning. */
export function planPage(): string {
  const schema = z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any' }) as Schema;
  const entries = Object.entries(schema.properties ?? {});
  const single = entries.filter(([, node]) => node.properties === undefined && node.oneOf === undefined);
  const choices = entries.filter(([, node]) => node.oneOf !== undefined);
  const tables = entries.filter(([, node]) => node.properties !== undefined);
  return page('The plan', '`src/core/plan/plan.ts` and the registries', [
    opening,
    '## Top level',
    settings(Object.fromEntries(single), schema.required ?? []),
    ...choices.flatMap(([name, node]) => sectionParts(name, node)),
    ...tables.flatMap(([name, node]) => [
      `## ${code(`[${name}]`)}`,
      ...(node.description === undefined ? [] : [sentence(node.description)]),
      settings(node.properties ?? {}, node.required ?? []),
      ...Object.entries(node.properties ?? {}).flatMap(([key, choice]) => choiceParts(`${name}.${key}`, choice)),
    ]),
    ...pipelineParts(),
    relations,
    `The defaults that follow from others, for the plan above: ${derived()}.`,
  ]);
}

function settings(properties: Readonly<Record<string, Schema>>, required: readonly string[]): string {
  return table(
    ['setting', 'type', 'default', 'means'],
    Object.entries(properties).flatMap(([name, node]) => rowsOf(name, node, required.includes(name))),
  );
}

/** A setting, and those that a table of it holds. */
function rowsOf(name: string, node: Schema, isRequired: boolean): string[][] {
  const inner = Object.entries(node.properties ?? {}).flatMap(([key, one]) =>
    rowsOf(`${name}.${key}`, one, node.required?.includes(key) ?? false),
  );
  return [[code(name), typeOf(name, node), defaultText(node, isRequired), node.description ?? ''], ...inner];
}

function typeOf(name: string, node: Schema): string {
  if (name === 'pipeline') return 'list of steps, [below](#steps-of-a-pipeline)';
  return isChoice(node) ? 'one of the tables below' : code(typeText(node));
}

/** Whether a setting is a choice of tables, each named by its first key. */
function isChoice({ oneOf }: Schema): boolean {
  return oneOf?.every(({ properties }) => Object.values(properties ?? {})[0]?.const !== undefined) ?? false;
}

/** The tables of a choice, with what each may hold. */
function choiceParts(path: string, node: Schema): readonly string[] {
  if (!isChoice(node)) return [];
  const rows = node.oneOf!.flatMap(({ properties = {}, required = [] }) => {
    const [[key, first], ...options] = Object.entries(properties) as [[string, Schema], ...[string, Schema][]];
    const name = code(`{ ${key} = ${JSON.stringify(first.const)} }`);
    if (options.length === 0) return [[name, 'none', '', '', '']];
    return options.map(([option, schema], i) => [
      i === 0 ? name : '',
      code(option),
      code(typeText(schema)),
      defaultText(schema, required.includes(option)),
      schema.description ?? '',
    ]);
  });
  return [`### ${code(path)}`, table([code(path), 'option', 'type', 'default', 'means'], rows)];
}

const choiceNotes: Readonly<Record<string, string>> = {
  model:
    ' Tensors are named as a PyTorch module names them: `layers.0.weight` [outputs, inputs], `layers.0.bias`; a CNN has `conv.0.weight`, …, `dense.weight`.',
};

/** A table whose settings depend on its kind or mode. */
function sectionParts(name: string, { oneOf = [], description }: Schema): readonly string[] {
  const kinds = oneOf.flatMap((kind) => {
    const [[key, tag] = ['', {}], ...rest] = Object.entries(kind.properties ?? {});
    const meaning = tag.description === undefined ? [] : [sentence(tag.description)];
    const table = rest.length === 0 ? [] : [settings(Object.fromEntries(rest), kind.required ?? [])];
    return [`### ${code(`${key} = ${JSON.stringify(tag.const)}`)}`, ...meaning, ...table];
  });
  return [`## ${code(`[${name}]`)}`, `${sentence(description ?? '')}${choiceNotes[name] ?? ''}`, ...kinds];
}

function pipelineParts(): readonly string[] {
  const rows = Object.entries(registry).map(([id, { schema, rule }]) => {
    const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as Schema;
    const options = Object.entries(properties)
      .filter(([name]) => name !== 'rule')
      .map(([name, node]) => {
        const fallback = node.default === undefined ? '' : `, default ${JSON.stringify(node.default)}`;
        return `${code(name)}${required.includes(name) && fallback === '' ? '*' : ''}: ${typeText(node)}${fallback}`;
      });
    const kind = rule.kind === 'mix' ? 'pre-aggregator' : 'aggregator';
    return [`[${code(id)}](rules.md#${id})`, kind, options.join('; ') || 'none', rule.range];
  });
  return [
    '## Steps of a pipeline',
    'A step is `{ rule = "…", … }`; options with a star are required. What each rule does: [rules](rules.md).',
    table(['rule', 'kind', 'options', 'proven for'], rows),
  ];
}

function derived(): string {
  const { cohort } = parsePlan({ model: { kind: 'mlp', layers: [784, 128, 10] } });
  return `\`cohort.size\` ${cohort.size}, \`cohort.quorum\` ${cohort.quorum}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
