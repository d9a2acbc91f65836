import type { Trainer } from '../../ports/trainer.ts';

/** What a trainer is and knows beside its work, for one that is wrapped. */
export function factsOf({ recordSteps, categoriesOf }: Trainer): Pick<Trainer, 'recordSteps' | 'categoriesOf'> {
  return {
    ...(recordSteps === undefined ? {} : { recordSteps }),
    ...(categoriesOf === undefined ? {} : { categoriesOf }),
  };
}
