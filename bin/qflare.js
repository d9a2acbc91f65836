#!/usr/bin/env node
// The launcher. Plain JavaScript that an old Node can read: it finds a Node that can run QFLARE and hands over to it.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { constants } from 'node:os';
import process from 'node:process';
import { findNode, nodeMajorMin } from '../tools/find-node.js';
import { allocator, nodeFlagsOf } from '../tools/tuning.js';

const flags = nodeFlagsOf(process.argv[2]);
const isTuned =
  process.env.MALLOC_TRIM_THRESHOLD_ !== undefined && flags.every((flag) => process.execArgv.includes(flag));
const isRecent = Number(process.versions.node.split('.')[0]) >= nodeMajorMin;

if (isRecent && isTuned) {
  // A launcher that was killed says nothing more: its end of the line closes, and so does the work.
  if (process.channel && process.env.QFLARE_LAUNCHED) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  delete process.env.QFLARE_LAUNCHED;
  // Ten processes strip and compile the same sources: what one has done the others read back.
  module.enableCompileCache?.();
  const { entry } = await import('../tools/entry.js');
  const { run } = await import(entry('cli/main'));
  process.exitCode = await run(process.argv.slice(2));
} else {
  const found = findNode();
  if (found.problem !== undefined) {
    process.stderr.write(`qflare: ${found.problem}\n`);
    process.exit(70);
  }
  const args = [...process.execArgv, ...flags, process.argv[1], ...process.argv.slice(2)];
  const env = { ...allocator, ...process.env };
  // Where the system can, this process becomes the other one: one process, its own signals and exit code, nothing to leave
  // behind. Else a child, which ends when the line to this process does.
  if (process.execve && process.platform !== 'win32') process.execve(found.path, [found.path, ...args], env);
  const child = spawn(found.path, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...env, QFLARE_LAUNCHED: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}
