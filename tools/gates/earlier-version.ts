// The tree as it was at an earlier commit, ready to run beside today's: what a measurement holds today's code against in
// the same minutes on the same machine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The commit that last changed a file; undefined where history does not reach that far, or there is none: a shallow
 * clone takes its oldest commit for the one that wrote everything.
 */
export function commitThatWrote(root: string, path: string): string | undefined {
  const git = (...args: readonly string[]) => {
    const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  if (!existsSync(join(root, '.git')) || git('rev-parse', '--is-shallow-repository') !== 'false') return undefined;
  return git('log', '-1', '--format=%H', '--', path) || undefined;
}

/**
 * Calls `use` with a folder that holds the tree of `commit`, its kernels built and the packages of `root` beside it, and
 * removes the folder. Packages are today's: a version of a package that changed since is in both measurements.
 */
export function withEarlierVersion<T>(root: string, commit: string, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-earlier-'));
  try {
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    run(root, 'git', ['archive', '--format=tar', `--output=${join(folder, 'tree.tar')}`, commit]);
    run(tree, 'tar', ['-xf', join(folder, 'tree.tar')]);
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'dir');
    run(tree, process.execPath, ['--no-warnings', 'tools/build-kernels.ts']);
    return use(tree);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(cwd: string, command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot run ${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
