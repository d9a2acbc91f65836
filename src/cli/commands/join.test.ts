import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { joinCommand } from './join.ts';

test('join: a patience that is no number of minutes is refused: it would be endless', async () => {
  for (const patience of ['abc', '', '-1', 'Infinity', '0']) {
    const command = joinCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    const args = ['https://x/join#', '--data', 'folder', '--patience', patience];
    await assert.rejects(
      command.parseAsync(args, { from: 'user' }),
      (error: Error) => error instanceof CommanderError && error.code === 'commander.invalidArgument',
      patience,
    );
  }
});

test('join --engine: an unknown one is refused, and a missing package is said before the link is used', async (t) => {
  const command = () =>
    joinCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
  const link = `https://127.0.0.1:1/join#v=1&token=${'A'.repeat(43)}&pin=sha256:${'A'.repeat(43)}`;
  const run = (engine: string) =>
    command().parseAsync([link, '--data', 'folder', '--engine', engine], { from: 'user' });
  await assert.rejects(run('abacus'), /Allowed choices are built-in, onnx/);
  const empty = mkdtempSync(join(tmpdir(), 'qflare-join-'));
  t.after(() => rmSync(empty, { recursive: true }));
  const before = process.cwd();
  process.chdir(empty);
  try {
    await assert.rejects(run('onnx'), /package onnxruntime-node must be installed \(ONNXRUNTIME_NODE_INSTALL=skip npm/);
  } finally {
    process.chdir(before);
  }
});
