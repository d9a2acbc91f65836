import { z } from 'zod';

/** Clients that belong to one person or site: what they lose together is bounded too. */
export const groupsSchema = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be lower-case letters, digits and dashes, at most 41')
        .describe('what the group is called in the ledger'),
      clients: z
        .array(z.string().min(1).max(63))
        .min(2)
        .max(100)
        .describe('the clients of one person or site, by their ids'),
      epsilon: z
        .number()
        .positive()
        .max(1000)
        .optional()
        .describe('ε that all of them together may lose, at the δ of the plan (default: shown and not limited)'),
    }),
  )
  .max(1000);

/** A group of clients as the plan names it. */
export type PrivacyGroup = z.output<typeof groupsSchema>[number];

/** What is wrong with the groups of a plan under central privacy. */
export function groupProblems(
  groups: readonly PrivacyGroup[],
  { mechanism, rule }: { readonly mechanism: string; readonly rule: string },
  refuse: (path: string, message: string) => void,
): void {
  const names = groups.map(({ name }) => name);
  const clients = groups.flatMap((group) => group.clients);
  const twice = [...names, ...clients].find((one, i, all) => all.indexOf(one) !== i);
  if (twice !== undefined) {
    refuse('privacy.groups', `must name each group and each client once: "${twice}" is there twice`);
  }
  if (mechanism === 'dp-ftrl') {
    refuse(
      'privacy.groups',
      'must be left out with dp-ftrl, as one noise serves many rounds there (nearest: mechanism = "dp-fedavg")',
    );
  }
  if (rule === 'filter' && groups.some(({ epsilon }) => epsilon !== undefined)) {
    refuse(
      'privacy.groups',
      'must have no epsilon with rule "filter", as a group is accounted for by PLD (nearest: rule = "plan")',
    );
  }
}
