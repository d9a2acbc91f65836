/**
 * What somebody may have meant by a word that is not in a list: the nearest one, in the words of a hint, or nothing where
 * none is near.
 *
 * Formula:   the least edit distance (insert, delete, replace, swap of neighbours), at most a third of the word; the first
 *            in the list among equals.
 */
export function didYouMean(word: unknown, words: Iterable<string>): string {
  if (typeof word !== 'string' || word === '') return '';
  let [nearest, least] = ['', Math.ceil(word.length / 3) + 1];
  for (const candidate of words) {
    const edits = editsBetween(word.toLowerCase(), candidate);
    if (edits < least) [nearest, least] = [candidate, edits];
  }
  return nearest === '' ? '' : ` (did you mean "${nearest}"?)`;
}

function editsBetween(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const line = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      line.push(Math.min(replaced, last[j]! + 1, line[j - 1]! + 1, isSwap ? before[j - 2]! + 1 : a.length + b.length));
    }
    [before, last] = [last, line];
  }
  return last[b.length]!;
}
