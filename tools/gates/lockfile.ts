// What npm will install: every package pinned by its hash, from the public registry, running no script of its own, and
// with a Node for every platform that the launcher knows.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Gate, resultOf, type Violation } from './gate.ts';

type LockedPackage = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
};

type Dependencies = Readonly<Record<string, string>>;

export type PackageFile = {
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
};

export type Lockfile = {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage & PackageFile>>;
};

const registry = 'https://registry.npmjs.org/';

/** Packages that bring a script for their installation, with the reason why that is allowed. */
const installScripts: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'tools/optional only, where .ci/run installs with --ignore-scripts; it would fetch GPU libraries',
};

/** A second set of packages, which tests use where it is there. */
const optionalFolder = 'tools/optional';

export const lockfile: Gate = {
  name: 'lockfile',
  run(root) {
    const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
    const lock: Lockfile = read('package-lock.json');
    const count = Object.keys(lock.packages).length - 1;
    const launcher = readFileSync(join(root, 'tools/find-node.js'), 'utf8');
    const platforms = [...launcher.matchAll(/'(?:linux|darwin|win32)-\w+': '([^']+)'/g)].map(([, name]) => name!);
    if (platforms.length === 0)
      return { ok: false, summary: 'no platform found in tools/find-node.js', output: launcher };
    const installer = readFileSync(join(root, 'tools/install.js'), 'utf8');
    const optionalLock: Lockfile = read(`${optionalFolder}/package-lock.json`);
    const unlocked = unlockedOf(lock);
    const violations = [
      ...checkLockfile(read('package.json'), lock, platforms),
      ...checkCompleteness(unlocked, /['"]ci['"]/.test(installer)),
      ...checkLockfile(read(`${optionalFolder}/package.json`), optionalLock, []),
      ...checkCompleteness(unlockedOf(optionalLock), true),
    ];
    const result = resultOf(count, 'packages', violations);
    const optional = unlocked.filter(({ isOptional }) => isOptional).length;
    return { ...result, summary: `${result.summary}, ${optional} optional packages of other platforms not locked` };
  },
};

export function checkLockfile(own: PackageFile, lock: Lockfile, platforms: readonly string[]): readonly Violation[] {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  return [
    ...packages.flatMap(([path, locked]) => checkPackage(path, locked)),
    ...checkAgreement(own, lock),
    ...checkPins(own),
    ...checkPlatforms(own, lock, platforms),
  ];
}

function fault(file: string, rule: string, problem: string, wayOut: string): Violation {
  return { file, line: 1, rule, problem, wayOut };
}

function checkPackage(path: string, locked: LockedPackage): readonly Violation[] {
  const lock = 'package-lock.json';
  const name = path.replace(/^.*node_modules\//, '');
  const found: Violation[] = [];
  if (locked.link === true || locked.integrity === undefined || !locked.integrity.startsWith('sha512-')) {
    const problem = `Cannot install ${path} as every package must have a sha512 integrity`;
    found.push(fault(lock, 'integrity', problem, 'remove its entry and run "npm install" against the public registry'));
  }
  if (locked.resolved !== undefined && !locked.resolved.startsWith(registry)) {
    const problem = `Cannot install ${path} from ${locked.resolved} as packages come from ${registry}`;
    found.push(fault(lock, 'host', problem, 'run "npm install" with omit-lockfile-registry-resolved=true'));
  }
  if (locked.hasInstallScript === true && !Object.hasOwn(installScripts, name)) {
    const problem = `Cannot install ${path} as it runs a script when it is installed`;
    found.push(
      fault(lock, 'install-script', problem, 'do without it, or list it with a reason in tools/gates/lockfile.ts'),
    );
  }
  return found;
}

type Unlocked = { readonly by: string; readonly name: string; readonly isOptional: boolean };

/** The dependencies of locked packages that have no entry of their own. */
export function unlockedOf({ packages }: Lockfile): readonly Unlocked[] {
  return Object.entries(packages).flatMap(([by, { dependencies, optionalDependencies }]) => {
    const required = Object.keys(dependencies ?? {}).filter((name) => optionalDependencies?.[name] === undefined);
    const wanted = [
      ...required.map((name) => ({ by, name, isOptional: false })),
      ...Object.keys(optionalDependencies ?? {}).map((name) => ({ by, name, isOptional: true })),
    ];
    return wanted.filter(({ name }) => !foldersAbove(by).some((folder) => packages[`${folder}node_modules/${name}`]));
  });
}

/** Where a package's dependencies may lie: below itself, or below any package above it. */
function foldersAbove(path: string): readonly string[] {
  if (path === '') return [''];
  const above = path.slice(0, path.lastIndexOf('node_modules/')).replace(/\/$/, '');
  return [`${path}/`, ...foldersAbove(above)];
}

/** A missing entry is a fault; an optional one only for "npm ci", which refuses the whole lockfile because of it. */
export function checkCompleteness(unlocked: readonly Unlocked[], usesCi: boolean): readonly Violation[] {
  return unlocked
    .filter(({ isOptional }) => usesCi || !isOptional)
    .map(({ by, name, isOptional }) => {
      const problem = `Cannot install ${name} (of ${by}) as it has no entry in the lockfile`;
      const wayOut = isOptional
        ? 'regenerate the lockfile where the registry has it, or install by "npm install --no-save"'
        : 'run "npm install --package-lock-only"';
      return fault('package-lock.json', 'complete', problem, wayOut);
    });
}

function checkAgreement(own: PackageFile, lock: Lockfile): readonly Violation[] {
  const sections = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
  return sections.flatMap((section) => {
    const wanted = own[section] ?? {};
    const locked = lock.packages['']?.[section] ?? {};
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(locked)])];
    return names
      .filter((name) => wanted[name] !== locked[name])
      .map((name) => {
        const problem = `Cannot install ${name} as package.json says ${wanted[name]} and the lockfile ${locked[name]}`;
        return fault('package-lock.json', 'agreement', problem, 'run "npm install --package-lock-only"');
      });
  });
}

function checkPins(own: PackageFile): readonly Violation[] {
  const all = { ...own.dependencies, ...own.devDependencies, ...own.optionalDependencies };
  return Object.entries(all)
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => {
      const problem = `Cannot depend on ${name} as the version must be exact: current value is ${version}`;
      return fault('package.json', 'pin', problem, 'write one version');
    });
}

function checkPlatforms(own: PackageFile, lock: Lockfile, platforms: readonly string[]): readonly Violation[] {
  return platforms
    .filter((name) => {
      const locked = lock.packages[`node_modules/${name}`];
      return own.optionalDependencies?.[name] === undefined || locked?.optional !== true;
    })
    .map((name) => {
      const problem = `Cannot start on every platform as ${name} must be an optional dependency and in the lockfile`;
      return fault('package.json', 'platform', problem, `run "npm install --save-optional --save-exact ${name}"`);
    });
}
