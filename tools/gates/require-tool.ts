// Tests that need a program of the system ask for it here. A missing one is a counted skip, and a failure under
// QFLARE_REQUIRE_ALL=1, which .ci/run sets after it has installed everything that system-tools.json lists.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import systemTools from './system-tools.json' with { type: 'json' };

export type SystemTool = {
  /** The Debian package that brings it. */
  readonly debian: string;
  readonly why: string;
  /** Where it may be: the first command that exits with 0 on the arguments of `probe` is taken. */
  readonly commands: readonly string[];
  readonly probe: readonly string[];
};

export type ToolName = keyof typeof systemTools;

type Skipping = { readonly skip: (reason: string) => void };

const found = new Map<ToolName, string | undefined>();

/**
 * The command of a system tool, for the test to run: `const python = requireTool(t, 'python3-numpy')`. Where there is
 * none the test is skipped with the reason, gets undefined and must return; under QFLARE_REQUIRE_ALL=1 it throws.
 */
export function requireTool(t: Skipping, name: ToolName): string | undefined {
  if (!found.has(name)) found.set(name, findTool(systemTools[name]));
  return toolOrSkip(t, systemTools[name], found.get(name), process.env['QFLARE_REQUIRE_ALL'] === '1');
}

/** Where the optional packages are that tests use: `npm ci --prefix tools/optional --ignore-scripts` puts them there. */
export const optionalPackages = join(import.meta.dirname, '../optional');

/** Whether an optional package is there; where it is not, the test is skipped, or fails under QFLARE_REQUIRE_ALL=1. */
export function requirePackage(t: Skipping, name: string): boolean {
  const isThere = isInstalled(name);
  if (isThere) return true;
  const reason = `missing optional package ${name} (npm ci --prefix tools/optional --ignore-scripts)`;
  if (process.env['QFLARE_REQUIRE_ALL'] === '1') throw new Error(`Cannot skip as QFLARE_REQUIRE_ALL is 1: ${reason}`);
  t.skip(reason);
  return false;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(join(optionalPackages, 'package.json')).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The first command of a tool that answers its probe. */
export function findTool({ commands, probe }: SystemTool): string | undefined {
  return commands.find((command) => spawnSync(command, [...probe], { stdio: 'ignore', timeout: 60_000 }).status === 0);
}

export function toolOrSkip(
  t: Skipping,
  { debian, why }: SystemTool,
  command: string | undefined,
  isRequired: boolean,
): string | undefined {
  if (command !== undefined) return command;
  const reason = `missing system tool ${debian} (${why}; Debian: apt-get install ${debian})`;
  if (isRequired) throw new Error(`Cannot skip as QFLARE_REQUIRE_ALL is 1: ${reason}`);
  t.skip(reason);
  return undefined;
}
