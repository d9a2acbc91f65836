import type { CellRecord, LabAxis, LabRecord } from './record.ts';

/** Cells that differ in their seed only. */
export type Group = {
  readonly axes: Readonly<Record<string, string>>;
  readonly cells: readonly CellRecord[];
  /** Mean and standard deviation (n − 1) of the last round's accuracy over the seeds; null where none was measured. */
  readonly mean: number | null;
  readonly deviation: number | null;
};

/** One table: a row axis, a column axis, and the values of all other axes. */
export type Grid = {
  readonly place: Readonly<Record<string, string>>;
  readonly rows: LabAxis;
  readonly columns: LabAxis;
  at(row: string, column: string): Group | undefined;
  /** The group of a row with the lowest mean: the worst attack, where the columns are attacks. */
  worst(row: string): Group | undefined;
};

/** Joins the cells that differ in their seed only, in the order of the matrix. */
export function groupsOf({ cells }: LabRecord): readonly Group[] {
  const byPlace = Map.groupBy(cells, ({ axes }) => JSON.stringify(withoutSeed(axes)));
  return [...byPlace.values()].map((members) => {
    const values = members.map(({ outcome }) => outcome.accuracy).filter((value) => value !== null);
    return { axes: withoutSeed(members[0]!.axes), cells: members, ...momentsOf(values) };
  });
}

/** Mean and standard deviation (n − 1); a single value has no deviation. */
export function momentsOf(values: readonly number[]): { mean: number | null; deviation: number | null } {
  if (values.length === 0) return { mean: null, deviation: null };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** The tables of a matrix: rules against attacks where there are both, one table for each value of the other axes. */
export function gridsOf(record: LabRecord): readonly Grid[] {
  const groups = groupsOf(record);
  const [rows, columns] = gridAxes(record.axes);
  const others = record.axes.filter(({ name }) => name !== rows.name && name !== columns.name && name !== 'seed');
  const placeOf = (group: Group) => Object.fromEntries(others.map(({ name }) => [name, group.axes[name]!]));
  return [...Map.groupBy(groups, (group) => JSON.stringify(placeOf(group))).values()].map((members) => {
    const find = (row: string, column: string) =>
      members.find(({ axes }) => axes[rows.name] === row && axes[columns.name] === column);
    return {
      place: placeOf(members[0]!),
      rows: { ...rows, values: rows.values.filter((value) => members.some(({ axes }) => axes[rows.name] === value)) },
      columns,
      at: find,
      worst: (row) => worstOf(columns.values.flatMap((column) => find(row, column) ?? [])),
    };
  });
}

/** The group with the lowest mean among those that were measured. */
function worstOf(groups: readonly Group[]): Group | undefined {
  return groups
    .filter(({ mean }) => mean !== null)
    .reduce<Group | undefined>((low, group) => (low === undefined || group.mean! < low.mean! ? group : low), undefined);
}

/** Rules down and attacks across where they vary, else the first axes that do. */
function gridAxes(axes: readonly LabAxis[]): readonly [LabAxis, LabAxis] {
  const usable = axes.filter(({ name }) => name !== 'seed');
  const varied = usable.filter(({ values }) => values.length > 1);
  const named = (name: string) => varied.find((axis) => axis.name === name);
  const rows = named('rule') ?? varied.find(({ name }) => name !== 'attack') ?? usable[0]!;
  const columns =
    named('attack') ??
    varied.find((axis) => axis !== rows) ??
    usable.find(({ name }) => name === 'attack' && name !== rows.name) ??
    usable.find((axis) => axis !== rows)!;
  return [rows, columns];
}

function withoutSeed({ seed: _seed, ...axes }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return axes;
}
