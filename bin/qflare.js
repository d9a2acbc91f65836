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
  const child = spawn(found.path, [...process.execArgv, ...flags, process.argv[1], ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...allocator, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}
