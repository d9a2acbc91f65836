import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Puts a table between the markers of its name in a page: `<!-- begin: NAME -->` and `<!-- end: NAME -->`. */
export function intoPage(page: string, name: string, table: string): void {
  const path = join(import.meta.dirname, '..', page);
  const source = readFileSync(path, 'utf8');
  const part = new RegExp(`(<!-- begin: ${name} -->\\n)[^]*?(\\n<!-- end: ${name} -->)`);
  if (!part.test(source)) throw new Error(`Cannot write into ${page} as it must have the markers of "${name}"`);
  writeFileSync(
    path,
    source.replace(part, (_whole, begin: string, end: string) => `${begin}\n${table}\n${end}`),
  );
}
