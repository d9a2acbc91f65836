import { z } from 'zod';

const figure = z.number().min(0);

/**
 * What the coordinator tells one client of its own loss, over that client's own authenticated stream. `individual` depends
 * on the client's data, so nobody else may see it.
 */
export const ownPrivacy = z.strictObject({
  version: z.literal(1),
  purpose: z.string().max(64),
  delta: figure,
  granted: figure,
  /** What the ledger charges: by PLD, at worst. This is what decides. */
  plan: figure,
  /** The odometer over the same, at worst. */
  odometer: figure,
  /** The odometer over what this client's own clipped deviations cost. */
  individual: figure,
});

export type OwnPrivacy = z.infer<typeof ownPrivacy>;

/** One line for the people of the site. */
export function ownPrivacyLine({ purpose, delta, granted, plan, odometer, individual }: OwnPrivacy): string {
  const [own, worst, charged] = [individual, odometer, plan].map((value) => value.toFixed(4));
  return `privacy "${purpose}" at δ = ${delta}: your own odometer stands at ε = ${own}, at worst ${worst}; charged ${charged} of ${granted} (the first figure follows your data: keep it to yourself)`;
}
