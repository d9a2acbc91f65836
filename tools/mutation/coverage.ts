import { type Profiler, Session } from 'node:inspector/promises';

/** Pairs [from, to) of places that have run, in ascending order, flat. */
export type Spans = readonly number[];

type Range = { readonly startOffset: number; readonly endOffset: number; readonly count: number };

/** What of each module has run since the last call. The first call is to be thrown away. */
export async function watchCoverage(base: string): Promise<() => Promise<Readonly<Record<string, Spans>>>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return async () => {
    const { result } = (await session.post('Profiler.takePreciseCoverage')) as Profiler.TakePreciseCoverageReturnType;
    const spans: Record<string, Spans> = {};
    for (const { url, functions } of result) {
      if (!url.startsWith(base)) continue;
      const run = spansOf(functions.flatMap(({ ranges }) => ranges));
      if (run.length > 0) spans[url.slice(base.length).split('?')[0]!] = run;
    }
    return spans;
  };
}

/** Joins nested ranges: the innermost range around a place says whether it has run. */
export function spansOf(ranges: readonly Range[]): Spans {
  const sorted = [...ranges].sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  const spans: number[] = [];
  const open: Range[] = [];
  let at = 0;
  const advance = (to: number): void => {
    const inner = open.at(-1);
    if (inner !== undefined && inner.count > 0 && to > at) {
      if (spans.at(-1) === at) spans[spans.length - 1] = to;
      else spans.push(at, to);
    }
    at = Math.max(at, to);
  };
  const close = (until: number): void => {
    for (let inner = open.at(-1); inner !== undefined && inner.endOffset <= until; inner = open.at(-1)) {
      advance(inner.endOffset);
      open.pop();
    }
  };
  for (const range of sorted) {
    close(range.startOffset);
    advance(range.startOffset);
    open.push(range);
  }
  close(Number.POSITIVE_INFINITY);
  return spans;
}

/** Whether a place has run. */
export function isCovered(spans: Spans | undefined, place: number): boolean {
  if (spans === undefined) return false;
  for (let i = 0; i < spans.length && spans[i]! <= place; i += 2) if (place < spans[i + 1]!) return true;
  return false;
}
