import { z } from 'zod';
import { tableOptionsSchema } from '../data/table-options.ts';
import { classCountOf, inputCountOf, type ModelSpec } from '../learning/model-spec.ts';

/**
 * How the sites of a run read their CSV files. All of them share it, so it fixes what a feature is: every column has a
 * name and a kind, and every category is written out, since a small site has not seen all of them.
 */
export const planTableSchema = tableOptionsSchema
  .omit({ header: true, testShare: true })
  .extend({
    names: z
      .array(z.string().min(1))
      .min(2)
      .describe('the columns of every file; a file whose header has these names may have them in another order'),
  })
  .describe('how sites read a CSV file (join --data FILE.csv); a column that is not described holds numbers');

export type PlanTable = z.output<typeof planTableSchema>;

/** The features that a table gives, by name and in the order of the model's inputs. */
export function featureNames({ names, label, drop, columns, dropFirstCategory }: PlanTable): readonly string[] {
  return names
    .filter((name) => name !== label.column && !drop.includes(name))
    .flatMap((name) => {
      const column = columns[name] ?? { kind: 'number' as const };
      if (column.kind === 'number') return [name];
      return (column.categories ?? []).slice(Number(dropFirstCategory)).map((category) => `${name}=${category}`);
    });
}

/** What is wrong with a table, alone or with this model: each problem with its path below data.table. */
export function checkPlanTable(
  table: PlanTable,
  model: ModelSpec,
): readonly { readonly path: string; readonly message: string }[] {
  const { names, label, drop, columns } = table;
  const unknown = [
    ...(names.includes(label.column) ? [] : [{ path: 'label.column', name: label.column }]),
    ...drop.filter((name) => !names.includes(name)).map((name) => ({ path: 'drop', name })),
    ...Object.keys(columns)
      .filter((name) => !names.includes(name))
      .map((name) => ({ path: `columns.${name}`, name })),
  ].map(({ path, name }) => ({
    path,
    message: `must be one of data.table.names (${names.join(', ')}): current value is "${name}"`,
  }));
  if (unknown.length > 0) return unknown;
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  if (twice.length > 0) return [{ path: 'names', message: `must differ: "${twice[0]}" is there twice` }];
  const open = Object.entries(columns).filter(
    ([, column]) => column.kind === 'category' && column.categories === undefined,
  );
  if (open.length > 0) {
    return open.map(([name]) => ({
      path: `columns.${name}.categories`,
      message: 'must list every category, as sites have not all seen the same ones: current value is nothing',
    }));
  }
  const features = featureNames(table);
  const inputs = inputCountOf(model);
  const classes = classCountOf(model);
  return [
    ...(features.length === inputs
      ? []
      : [
          {
            path: 'names',
            message: `must give as many features as the model has inputs (${inputs}): they give ${features.length} (${features.join(', ')})`,
          },
        ]),
    ...(label.classes.length === classes
      ? []
      : [
          {
            path: 'label.classes',
            message: `must be as many as the classes of the model (${classes}): current value is ${label.classes.length}`,
          },
        ]),
  ];
}
