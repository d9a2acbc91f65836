// Gives a process that runs tests every module anew for each mutant, without starting the process anew.
import { readFileSync, realpathSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A module, and what it says instead: JavaScript, as its file may have changed since. */
export type Change = { readonly path: string; readonly source: string };

/** The address of a root's file in one generation of its modules, without the generation. */
export function addressOf(root: string, path: string): string {
  return `${pathToFileURL(realpathSync(root)).href}/${path}`;
}

/**
 * From here on imports of a root's modules are of the current generation; the function returned begins the next one.
 *
 * Packages and Node's modules are loaded once. `node:test` is `shim`.
 */
export function serveFreshModules(root: string, shim: string): (change?: Change) => number {
  const base = `${pathToFileURL(realpathSync(root)).href}/`;
  const stripped = new Map<string, string>();
  let generation = 0;
  let changed: (Change & { readonly address: string }) | undefined;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'node:test') return { url: shim, shortCircuit: true };
      const found = next(specifier, context);
      const isOurs = found.url.startsWith(base) && found.url.endsWith('.ts') && !found.url.includes('/node_modules/');
      return isOurs ? { ...found, url: `${found.url}?generation=${generation}` } : found;
    },
    load(url, context, next) {
      const [address, query] = url.split('?');
      if (query === undefined || !query.startsWith('generation=')) return next(url, context);
      const code = stripped.get(address!) ?? stripTypeScriptTypes(readFileSync(fileURLToPath(address!), 'utf8'));
      stripped.set(address!, code);
      const source = changed?.address === address ? changed!.source : code;
      return { format: 'module', source, shortCircuit: true };
    },
  });
  process.setSourceMapsEnabled(false);
  return (change) => {
    changed = change === undefined ? undefined : { ...change, address: addressOf(root, change.path) };
    return ++generation;
  };
}
