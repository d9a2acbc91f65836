import { createHash } from '../primitives/index.ts';
import { registry } from '../core/aggregation/index.ts';
import type { Pipeline } from '../core/aggregation/pipeline.ts';
import { parsePipelineText } from '../core/aggregation/pipeline-text.ts';
import { type Plan, PlanError, parsePlan } from '../core/plan/plan.ts';
import { canonicalJson, type Json } from '../core/protocol/canonical-json.ts';
import type { LabAxis } from '../core/report/lab/record.ts';
import type { Hostility, Partition } from '../simulation/index.ts';
import type { Lab } from './lab-file.ts';

/** Raised when the same definition would give other results than before: old results are then not used again. */
export const definitionVersion = 1;

/**
 * As above, for cells of one attack or one rule alone: what a backdoor of edge cases achieves is measured since 2, and the
 * radius that centred clipping finds is the median distance.
 */
const versionOf: Readonly<Record<string, number>> = { 'edge-case-backdoor': 2, 'centered-clipping': 2 };

/** Everything that a cell's result depends on. */
export type CellDefinition = {
  readonly version: number;
  /** The data's name and, where it is read, SHA-256. */
  readonly data: string;
  readonly plan: Plan;
  readonly path: 'bare' | 'fast' | 'whole';
  readonly partition: Partition;
  readonly attack: Hostility | 'none';
  readonly attackers: number;
  readonly attackerData: 'partition' | 'iid';
  readonly workerMomentum: number | null;
  readonly measureEvery: number;
};

export type Cell = {
  /** SHA-256 of the definition's canonical JSON, less what its path leaves out of the plan. */
  readonly key: string;
  readonly axes: Readonly<Record<string, string>>;
  readonly definition: CellDefinition;
};

type Value = { readonly label: string; readonly value: unknown };
type Axis = { readonly name: string; readonly values: readonly Value[] };

/** The axes of a matrix with their labels, the innermost last. */
function axesOf({ matrix }: Lab): readonly Axis[] {
  const labelled = (name: string, values: readonly unknown[]): Axis => ({
    name,
    values: values.map((value) => ({ label: labelOf(value), value })),
  });
  return [
    labelled('partition', matrix.partition),
    labelled('attackers', matrix.attackers),
    labelled('attack', matrix.attack),
    labelled('rule', matrix.rule),
    ...(matrix.detector === undefined ? [] : [labelled('detector', matrix.detector)]),
    ...Object.entries(matrix.settings).map(([path, values]) => labelled(path, values)),
    labelled('seed', matrix.seed),
  ];
}

/** The axes as the report shows them. */
export function reportAxes(lab: Lab): readonly LabAxis[] {
  return axesOf(lab).map(({ name, values }) => ({ name, values: values.map(({ label }) => label) }));
}

function labelOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  if ('name' in value) return String(value.name);
  return Object.entries(value)
    .map(([name, inner]) => `${name}=${String(inner)}`)
    .join(' ');
}

/**
 * Every cell of a matrix, in order, less what is excluded and what two combinations have in common.
 *
 * Errors: RangeError that names the cell whose plan is refused, and why; or an exclusion that names no axis or label.
 */
export function cellsOf(lab: Lab, data: string): readonly Cell[] {
  const axes = axesOf(lab);
  checkExclusions(lab, axes);
  let places: readonly (readonly Value[])[] = [[]];
  for (const { values } of axes) places = places.flatMap((place) => values.map((value) => [...place, value]));
  const cells = places.flatMap((place) => {
    const labels = Object.fromEntries(axes.map(({ name }, i) => [name, place[i]!.label]));
    if (isExcluded(lab, labels)) return [];
    const values = Object.fromEntries(axes.map(({ name }, i) => [name, place[i]!.value]));
    return [cellOf(lab, data, { labels, values })];
  });
  return [...new Map(cells.map((cell) => [cell.key, cell])).values()];
}

function cellOf(
  lab: Lab,
  data: string,
  { labels, values }: { labels: Readonly<Record<string, string>>; values: Readonly<Record<string, unknown>> },
): Cell {
  const { setting, matrix } = lab;
  const expected = (lab.plan['cohort'] as { expected?: number } | undefined)?.expected ?? 10;
  const count = values['attackers'] as number;
  const attackers = count < 1 ? Math.round(count * expected) : count;
  const plan = planOf(lab, { labels, values, attackers });
  const parts = [values['attack'] as string, ...plan.aggregation.pipeline.map(({ rule }) => rule)];
  const definition: CellDefinition = {
    version: Math.max(...parts.map((part) => versionOf[part] ?? definitionVersion)),
    data,
    plan,
    path: setting.path ?? (matrix.detector === undefined ? 'bare' : 'fast'),
    partition: values['partition'] as Partition,
    attack: values['attack'] as CellDefinition['attack'],
    attackers,
    attackerData: setting.attackerData,
    workerMomentum: setting.workerMomentum ?? null,
    measureEvery: setting.measureEvery,
  };
  return cellWith(definition, labels);
}

/** A cell with its key. */
export function cellWith(definition: CellDefinition, axes: Cell['axes']): Cell {
  const key = createHash('sha256')
    .update(canonicalJson({ ...definition, plan: readBy(definition.path, definition.plan) } as unknown as Json))
    .digest('hex');
  return { key, axes, definition };
}

/** The sections of a plan that the arithmetic alone does not read. */
const unreadByBarePath: ReadonlySet<string> = new Set<keyof Plan>([
  'name',
  'detection',
  'enrolment',
  'security',
  'transparency',
]);

/** What of a plan a path reads: a setting that it leaves out, or that is new there, spoils no cell. */
function readBy(path: CellDefinition['path'], plan: Plan): object {
  if (path !== 'bare') return plan;
  return Object.fromEntries(Object.entries(plan).filter(([section]) => !unreadByBarePath.has(section)));
}

function planOf(
  lab: Lab,
  cell: {
    readonly labels: Readonly<Record<string, string>>;
    readonly values: Readonly<Record<string, unknown>>;
    readonly attackers: number;
  },
): Plan {
  const { values, labels, attackers } = cell;
  const f = lab.setting.f === 'attackers' ? attackers : lab.setting.f;
  let plan: Record<string, unknown> = { ...lab.plan };
  for (const path of Object.keys(lab.matrix.settings)) plan = withSetting(plan, path.split('.'), values[path]);
  if (values['detector'] !== undefined) plan = withSetting(plan, ['detection', 'detector'], values['detector']);
  plan = withSetting(plan, ['aggregation', 'pipeline'], pipelineOf(values['rule'] as Lab['matrix']['rule'][number], f));
  try {
    return parsePlan({ ...plan, seed: values['seed'] });
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    const place = Object.entries(labels).map(([name, label]) => `${name} ${label}`);
    throw new RangeError(
      `Cannot run the cell (${place.join(', ')}):\n${error.problems.map((p) => `  - ${p}`).join('\n')}`,
    );
  }
}

/** Fills in f where a step of a rule in short form needs it and names none. */
function pipelineOf(rule: Lab['matrix']['rule'][number], f: number | 'auto'): Pipeline {
  const written = typeof rule === 'string' ? rule : rule.pipeline;
  if (typeof written !== 'string') return written as unknown as Pipeline;
  return parsePipelineText(written).map((step) => {
    return needsF(step.rule) && !('f' in step) ? { ...step, f } : step;
  }) as unknown as Pipeline;
}

/** Rules whose arithmetic depends on f cannot be written without it. */
function needsF(rule: string): boolean {
  const entry = Object.hasOwn(registry, rule) ? registry[rule as keyof typeof registry] : undefined;
  const shape = entry?.schema.shape as { f?: { safeParse(value: unknown): { success: boolean } } } | undefined;
  return shape?.f?.safeParse(undefined).success === false;
}

function withSetting(table: Record<string, unknown>, path: readonly string[], value: unknown): Record<string, unknown> {
  const [key, ...rest] = path as [string, ...string[]];
  const inner = (table[key] ?? {}) as Record<string, unknown>;
  return { ...table, [key]: rest.length === 0 ? value : withSetting(inner, rest, value) };
}

function isExcluded({ exclude }: Lab, labels: Readonly<Record<string, string>>): boolean {
  return exclude.some((rule) =>
    Object.entries(rule).every(([name, wanted]) => [wanted].flat().map(String).includes(labels[name]!)),
  );
}

/** An exclusion that can never match is a slip of the pen. */
function checkExclusions({ exclude }: Lab, axes: readonly Axis[]): void {
  for (const [i, rule] of exclude.entries()) {
    for (const [name, wanted] of Object.entries(rule)) {
      const axis = axes.find((one) => one.name === name);
      const labels = axis?.values.map(({ label }) => label) ?? axes.map((one) => one.name);
      const unknown =
        axis === undefined
          ? name
          : [wanted]
              .flat()
              .map(String)
              .find((label) => !labels.includes(label));
      if (unknown === undefined) continue;
      throw new RangeError(
        `Cannot use the matrix as exclude.${i}.${name} must be one of ${labels.join(', ')}: current value is "${unknown}"`,
      );
    }
  }
}
