import { z } from 'zod';

const columnSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('number') }),
  z.strictObject({
    kind: z.literal('category'),
    categories: z.array(z.string()).min(1).optional().describe('its texts, in the order of the features'),
  }),
]);

/** How a CSV file becomes samples. Sites of one run must share it, categories included: it fixes the model's inputs. */
export const tableOptionsSchema = z.strictObject({
  delimiter: z.string().length(1).default(',').describe('the character between two cells'),
  header: z.boolean().default(true).describe('whether the first record names the columns'),
  names: z.array(z.string()).optional().describe('column names, instead of those of the header'),
  label: z
    .strictObject({
      column: z.string().describe('the column that holds the class'),
      classes: z.array(z.array(z.string()).min(1)).min(2).describe('for each class the texts that mean it'),
    })
    .describe('what is to be predicted'),
  columns: z.record(z.string(), columnSchema).default({}).describe('kinds of columns; others are found out'),
  drop: z.array(z.string()).default([]).describe('columns that are left out'),
  missing: z.array(z.string()).default(['', '?', 'NA', 'NaN', 'null']).describe('texts that mean: not known'),
  onMissing: z
    .enum(['drop-row', 'fill'])
    .default('drop-row')
    .describe('fill: the mean of the training part; a category becomes all zeros'),
  dropFirstCategory: z.boolean().default(false).describe('one column less for each category (no collinear columns)'),
  standardize: z
    .boolean()
    .default(true)
    .describe('mean 0 and deviation 1 for each feature, fitted on the training part'),
  testShare: z.number().min(0).lt(1).default(0.2).describe('share of rows set aside for testing, rounded up'),
});

export type TableOptions = z.output<typeof tableOptionsSchema>;
export type TableInput = z.input<typeof tableOptionsSchema>;
