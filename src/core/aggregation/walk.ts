import type { StepContext, Walking, WeightRule } from './rule.ts';
import type { Span } from './span.ts';

/** What a rule that walks is to the rest: it reads all products, and `weigh` answers it from them. */
export function walking<Options>(
  walking: Walking<Options>,
): Pick<WeightRule<Options>, 'kind' | 'needs' | 'weigh' | 'walking'> {
  return {
    kind: 'weights',
    needs: () => 'gram',
    walking,
    weigh(span: Span, options: Options, _context: StepContext) {
      const walk = walking.walk(span.count, span.hasReference, options);
      let stop = walk.next();
      while (stop.done !== true) stop = walk.next(span.distances2To(stop.value));
      return stop.value;
    },
  };
}
