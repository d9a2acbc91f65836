// Holds the borders of DESIGN.md section 3: who may import whom, what core may use, who reads the command line, and
// no import cycle. A pure function over sources; the policy is data in borders-policy.ts.
import { posix } from 'node:path';
import {
  argumentFiles,
  argumentReaders,
  attackUsers,
  computedImportFiles,
  impureMembers,
  impureNames,
  launcherUsers,
  launcherTargets,
  mayImport,
  primitiveModules,
  primitivesFolder,
  purePackages,
  simulationCommands,
  testFile,
  typesOf,
} from './borders-policy.ts';
import { cyclesOf } from './cycles.ts';
import { type Gate, resultOf, type Violation } from './gate.ts';
import { type Reference, referencesOf } from './imports.ts';
import { readFiles, type SourceFile } from './source-files.ts';
import { codeText, type Token, tokenize } from './tokens.ts';

type Edge = Reference & { readonly file: string; readonly to: string };

export type BordersReport = {
  readonly modules: number;
  readonly imports: number;
  readonly violations: readonly Violation[];
};

export const borders: Gate = {
  name: 'borders',
  run(root) {
    const report = checkBorders(readFiles(root, ['src/**/*.ts', 'bin/*.js']));
    const result = resultOf(report.modules, 'modules', report.violations);
    return { ...result, summary: `${result.summary}, ${report.imports} imports` };
  },
};

/** Checks every module against the borders. */
export function checkBorders(files: readonly SourceFile[]): BordersReport {
  const paths = new Set(files.map(({ path }) => path));
  const violations: Violation[] = [];
  const edges: Edge[] = [];
  for (const { path, source } of files) {
    try {
      const tokens = tokenize(source).filter(({ kind }) => kind !== 'comment');
      const references = referencesOf(tokens).map((reference) => resolve(path, reference, paths));
      const isTest = testFile.test(path);
      edges.push(...references);
      violations.push(...references.flatMap((edge) => [...endings(edge), ...testTargets(edge, isTest)]));
      if (isTest) continue;
      violations.push(...references.flatMap(ruleOfEdge));
      if (path.startsWith('src/core/')) violations.push(...impureUses(path, tokens));
      if (path.startsWith('src/') && !argumentFiles.test(path)) violations.push(...argumentUses(path, tokens));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      violations.push({ file: path, line: 1, rule: 'readable', problem: error.message, wayOut: 'mend the syntax' });
    }
  }
  violations.push(...cycles(edges, paths));
  const imports = edges.filter(({ kind }) => kind !== 'path').length;
  return { modules: files.length, imports, violations: withoutRepeats(violations) };
}

/** One violation of a file for each problem: a file in the wrong folder is one mistake, however many imports it has. */
function withoutRepeats(violations: readonly Violation[]): readonly Violation[] {
  const first = new Map(
    violations.toReversed().map((found) => [`${found.file} ${found.rule} ${found.problem}`, found]),
  );
  return violations.filter((found) => first.get(`${found.file} ${found.rule} ${found.problem}`) === found);
}

/** Gives a relative reference the path it names; a string that looks like a path counts only where it is a module's. */
function resolve(file: string, reference: Reference, paths: ReadonlySet<string>): Edge {
  const { kind, target } = reference;
  const isRelative = target.startsWith('./') || target.startsWith('../');
  const path = posix.normalize(posix.join(posix.dirname(file), target));
  if (kind === 'path') return { ...reference, file, to: paths.has(path) ? path : '' };
  return { ...reference, file, to: isRelative ? path : target };
}

function ruleOfEdge(edge: Edge): readonly Violation[] {
  if (edge.to === '' && edge.kind === 'path') return [];
  return [
    ...computed(edge),
    ...layers(edge),
    ...primitives(edge),
    ...purity(edge),
    ...siblings(edge),
    ...attacks(edge),
    ...simulated(edge),
  ];
}

function violation(edge: Edge, rule: string, problem: string, wayOut: string): readonly Violation[] {
  return [{ file: edge.file, line: edge.line, rule, problem, wayOut }];
}

/** The folder of src that a path lies in; `entry` for a file directly in src; undefined elsewhere. */
function folderOf(path: string): string | undefined {
  const parts = path.split('/');
  if (parts[0] !== 'src') return undefined;
  return parts.length === 2 ? 'entry' : parts[1];
}

function isInRepository(edge: Edge): boolean {
  return edge.to !== edge.target || edge.kind === 'path';
}

function endings(edge: Edge): readonly Violation[] {
  const isWritten = edge.kind !== 'path' && edge.kind !== 'computed' && isInRepository(edge);
  if (
    !isWritten ||
    edge.to.endsWith('.ts') ||
    edge.to.endsWith('.json') ||
    (edge.file.startsWith('bin/') && edge.to.endsWith('.js'))
  )
    return [];
  const problem = `Cannot import "${edge.target}" as a relative import must end in .ts`;
  return violation(edge, 'extension', problem, `write "${edge.target.replace(/\.js$/, '')}.ts"`);
}

function testTargets(edge: Edge, isTest: boolean): readonly Violation[] {
  if (isTest || !testFile.test(edge.to)) return [];
  return violation(
    edge,
    'test-import',
    `Cannot import ${edge.to} as it is a test`,
    'move what is shared to its own file',
  );
}

function computed(edge: Edge): readonly Violation[] {
  if (edge.kind !== 'computed' || !edge.file.startsWith('src/') || computedImportFiles.test(edge.file)) return [];
  const problem = 'Cannot import a computed name as no check can see what it names';
  return violation(edge, 'computed-import', problem, 'write the path as a string literal');
}

function layers(edge: Edge): readonly Violation[] {
  if (edge.kind === 'computed') return [];
  const from = folderOf(edge.file);
  if (from === undefined) return launcher(edge);
  if (!Object.hasOwn(mayImport, from)) {
    const wayOut = `put it under one of ${Object.keys(mayImport).join(', ')}, or write an ADR and add it to the policy`;
    return violation(edge, 'layer', `Cannot place ${edge.file} as src/${from} has no place in the layout`, wayOut);
  }
  if (!isInRepository(edge) || (edge.to === 'package.json' && from !== 'core')) return [];
  if (edge.kind === 'path' && edge.to.startsWith('bin/') && launcherUsers.includes(from)) return [];
  const to = folderOf(edge.to);
  const allowed: readonly string[] = mayImport[from as keyof typeof mayImport];
  if (edge.kind === 'type' && typesOf[from]?.includes(to ?? '')) return [];
  const isSimulated = from === 'cli' && (to === 'simulation' || to === 'lab');
  if (to !== undefined && (allowed.includes(to) || isSimulated)) return [];
  const problem = `Cannot import ${edge.to} as ${from} may import only ${allowed.join(', ')}`;
  return violation(edge, 'layer', problem, 'move the shared part down to core or ports, or pass it in as an argument');
}

function launcher(edge: Edge): readonly Violation[] {
  if (edge.kind === 'path' || !isInRepository(edge) || launcherTargets.test(edge.to)) return [];
  const problem = `Cannot import ${edge.to} as the launcher must run on an old Node: only node: modules and tools/*.js`;
  return violation(edge, 'launcher', problem, 'load it through tools/entry.js after the version check');
}

function purity(edge: Edge): readonly Violation[] {
  if (!edge.file.startsWith('src/core/')) return [];
  if (isInRepository(edge)) {
    if (edge.kind === 'type' || !edge.to.startsWith('src/ports/')) return [];
    const problem = `Cannot import ${edge.to} for its values as core takes only types from ports`;
    return violation(
      edge,
      'ports-are-types',
      problem,
      'write "import type", and take the implementation as an argument',
    );
  }
  const isPure = purePackages.some((name) => edge.to === name || edge.to.startsWith(`${name}/`));
  if (isPure || edge.kind === 'computed') return [];
  const problem = `Cannot import "${edge.to}" in core as it is not on the list of pure packages`;
  return violation(edge, 'pure-import', problem, `put it behind a port (pure packages: ${purePackages.join(', ')})`);
}

/** Primitives come through the module that has seen their known answers; naming their types is no use of them. */
function primitives(edge: Edge): readonly Violation[] {
  const isUse = edge.kind !== 'type' && primitiveModules.includes(edge.target);
  // Core may import neither them nor that folder: its purity says so.
  const isElsewhere = edge.file.startsWith('src/') && !/^src\/(core|primitives)\//.test(edge.file);
  if (!isUse || !isElsewhere) return [];
  const problem = `Cannot import "${edge.target}" as primitives must be tested before they are used: only ${primitivesFolder} imports it`;
  return violation(edge, 'primitives', problem, `import it from ${primitivesFolder}index.ts, or use the Crypto port`);
}

function siblings(edge: Edge): readonly Violation[] {
  const [from, to] = [edge.file, edge.to].map((path) => /^src\/adapters\/([^/.]+)/.exec(path)?.[1]);
  if (from === undefined || to === undefined || from === to) return [];
  const problem = `Cannot import ${edge.to} as adapters do not import one another`;
  return violation(edge, 'adapter-sibling', problem, 'let the caller pass one to the other as a port');
}

function attacks(edge: Edge): readonly Violation[] {
  if (!edge.to.startsWith('src/core/attacks/') || edge.file.startsWith('src/core/attacks/')) return [];
  if (attackUsers.includes(folderOf(edge.file)!)) return [];
  const problem = `Cannot import ${edge.to} as attacks are for ${attackUsers.join(', ')} and tests only`;
  return violation(edge, 'attacks', problem, 'move the use to src/simulation or src/lab');
}

function simulated(edge: Edge): readonly Violation[] {
  const to = folderOf(edge.to);
  if ((to !== 'simulation' && to !== 'lab') || !edge.file.startsWith('src/cli/')) return [];
  if (simulationCommands.includes(edge.file) && edge.kind === 'dynamic') return [];
  const problem = `Cannot import ${edge.to} as only ${simulationCommands.join(', ')} may, and by "await import()" only`;
  return violation(edge, 'simulation', problem, 'load it inside the action of one of these commands');
}

/** Names in core that reach for the clock, chance, the process or the network. */
function impureUses(file: string, tokens: readonly Token[]): readonly Violation[] {
  return tokens.flatMap((token, i) => {
    if (token.kind !== 'word' || isMember(tokens, i)) return [];
    const member = codeText(tokens[i + 1]) === '.' ? `${token.text}.${tokens[i + 2]?.text}` : token.text;
    const name = Object.hasOwn(impureMembers, member) ? member : token.text;
    const wayOut = Object.hasOwn(impureMembers, name) ? impureMembers[name] : ownEntry(impureNames, name);
    if (wayOut === undefined || isKey(tokens, i)) return [];
    const problem = `Cannot use ${name} in core as core is pure`;
    return [{ file, line: token.line, rule: 'pure-global', problem, wayOut }];
  });
}

function ownEntry(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Reads of the command line and the environment, by member, by name or by taking the whole process object along. */
function argumentUses(file: string, tokens: readonly Token[]): readonly Violation[] {
  const wayOut = 'read it in src/cli and pass it on as an argument';
  const problem = (what: string) => `Cannot use ${what} as only src/cli reads the command line and the environment`;
  const named = referencesOf(tokens).flatMap(({ target, names, line }) => {
    const module = target === 'process' || target === 'util' ? `node:${target}` : target;
    const taken = (argumentReaders[module] ?? []).filter((name) => names.includes(name));
    return taken.map((name) => ({ file, line, rule: 'argv-env', problem: problem(`${name} of ${target}`), wayOut }));
  });
  const members = tokens.flatMap((token, i) => {
    const isProcess = token.kind === 'word' && token.text === 'process' && !isKey(tokens, i);
    if (!isProcess || (isMember(tokens, i) && codeText(tokens[i - 2]) !== 'globalThis')) return [];
    if (codeText(tokens[i - 1]) === 'import' || codeText(tokens[i + 1]) === 'from') return [];
    const isDotted = codeText(tokens[i + 1]) === '.' || codeText(tokens[i + 1]) === '?.';
    const member = isDotted ? tokens[i + 2]!.text : undefined;
    if (member !== undefined && !argumentReaders['node:process']!.includes(member)) return [];
    const what = member === undefined ? 'the whole process object' : `process.${member}`;
    return [{ file, line: token.line, rule: 'argv-env', problem: problem(what), wayOut }];
  });
  return [...named, ...members];
}

function isMember(tokens: readonly Token[], i: number): boolean {
  return codeText(tokens[i - 1]) === '.' || codeText(tokens[i - 1]) === '?.';
}

/** Whether the word is the key of an object or of a type, not a use of a name. */
function isKey(tokens: readonly Token[], i: number): boolean {
  const next = codeText(tokens[i + 1]) === '?' ? codeText(tokens[i + 2]) : codeText(tokens[i + 1]);
  return next === ':' && ['{', ',', ';', 'readonly'].includes(codeText(tokens[i - 1]) ?? '');
}

function cycles(edges: readonly Edge[], paths: ReadonlySet<string>): readonly Violation[] {
  const graph = new Map([...paths].map((path): [string, string[]] => [path, []]));
  for (const edge of edges) if (edge.kind !== 'path' && paths.has(edge.to)) graph.get(edge.file)!.push(edge.to);
  return cyclesOf(graph).map((cycle) => {
    const edge = edges.find(({ file, to }) => file === cycle[0] && to === cycle[1])!;
    const problem = `Cannot import in a circle: ${cycle.join(' → ')}`;
    const wayOut = 'move what both need to a third file; a type-only import counts too';
    return { file: edge.file, line: edge.line, rule: 'cycle', problem, wayOut };
  });
}
