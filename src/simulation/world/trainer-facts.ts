import type { Trainer } from '../../ports/trainer.ts';

/** What a trainer is and knows beside its work, for one that is wrapped. */
export function factsOf({ isRecordPrivate, categoriesOf }: Trainer): Pick<Trainer, 'isRecordPrivate' | 'categoriesOf'> {
  return {
    ...(isRecordPrivate === undefined ? {} : { isRecordPrivate }),
    ...(categoriesOf === undefined ? {} : { categoriesOf }),
  };
}
