// The borders of DESIGN.md section 3 as data. A change here is a change of the design: it needs an ADR.

/** Which folders of src a folder may import. `entry` is a file directly in src. */
export const mayImport = {
  ports: ['ports'],
  core: ['core', 'ports'],
  primitives: ['primitives'],
  adapters: ['adapters', 'primitives', 'core', 'ports'],
  client: ['client', 'core', 'ports'],
  coordinator: ['coordinator', 'core', 'ports'],
  node: ['node', 'coordinator', 'client', 'adapters', 'primitives', 'core', 'ports'],
  simulation: ['simulation', 'node', 'coordinator', 'client', 'adapters', 'primitives', 'core', 'ports'],
  lab: ['lab', 'simulation', 'node', 'coordinator', 'client', 'adapters', 'primitives', 'core', 'ports'],
  cli: ['cli', 'node', 'coordinator', 'client', 'adapters', 'primitives', 'core', 'ports'],
  entry: ['node', 'coordinator', 'client', 'core', 'ports'],
} as const satisfies Record<string, readonly string[]>;

/** Which folders a folder may import for their types alone: a port speaks of models and purposes, which core names. */
export const typesOf: Readonly<Record<string, readonly string[]>> = { ports: ['core'] };

/** The command files that may load the simulation or the lab, and only by a dynamic import. */
export const simulationCommands = ['demo', 'simulate', 'lab', 'privacy-optimize'].map(
  (name) => `src/cli/commands/${name}.ts`,
);

/** Who may import src/core/attacks. */
export const attackUsers = ['simulation', 'lab'];

/** Where cryptographic primitives come from, and the one folder that may import them: it tests them first. */
export const primitiveModules = ['node:crypto', 'crypto', 'hpke'];
export const primitivesFolder = 'src/primitives/';

/** npm packages that core may use: no I/O, no clock, no randomness of their own. */
export const purePackages = ['zod', '@noble/hashes'];

/** Names that bring the world into core, and what to do instead. */
export const impureNames: Readonly<Record<string, string>> = {
  Date: 'take the time as an argument, or a tick event',
  Temporal: 'take the time as an argument, or a tick event',
  performance: 'take the time as an argument, or a tick event',
  process: 'take what is needed as an argument',
  Buffer: 'use Uint8Array: core runs in a browser too',
  require: 'import it',
  fetch: 'use a port',
  XMLHttpRequest: 'use a port',
  WebSocket: 'use a port',
  Worker: 'use the Compute port',
  navigator: 'take what is needed as an argument',
  console: 'return the value, or an event for the journal',
  globalThis: 'name the thing itself, or take it as an argument',
  setTimeout: 'return an effect with a deadline',
  setInterval: 'return an effect with a deadline',
  setImmediate: 'return an effect',
  clearTimeout: 'return an effect',
  clearInterval: 'return an effect',
  clearImmediate: 'return an effect',
};

/** Members that bring the world into core although the object before the dot is pure or a parameter's name. */
export const impureMembers: Readonly<Record<string, string>> = {
  'Math.random': 'draw from an Rng (seeded) or an Entropy (secret) that is an argument',
  'crypto.getRandomValues': 'draw from an Entropy that is an argument',
  'crypto.randomUUID': 'take the id as an argument',
  'crypto.subtle': 'use the Crypto port',
  'Atomics.wait': 'use the Compute port',
};

/** Exports of node: modules that read the command line or the environment. */
export const argumentReaders: Readonly<Record<string, readonly string[]>> = {
  'node:process': ['argv', 'argv0', 'env', 'loadEnvFile'],
  'node:util': ['parseArgs'],
};

/** Who may read the command line and the environment: the CLI, and the entry files of the simulation's processes. */
export const argumentFiles = /^src\/cli\/|^src\/simulation\/(.*\/)?[^/]+-process\.ts$/;

/** Who may import a module whose name is computed: a user's own trainer is loaded by its path. */
export const computedImportFiles = /^src\/cli\/|^src\/adapters\/trainer-[^/]+\.ts$/;

/** Who may start the launcher in bin as a process. */
export const launcherUsers = ['cli', 'simulation', 'lab'];

/** What the launcher in bin may import besides node: modules. */
export const launcherTargets = /^tools\/[^/]+\.js$/;

export const testFile = /\.(test|deep)\.ts$/;
