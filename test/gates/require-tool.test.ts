import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTool, requirePackage, requireTool, type SystemTool, toolOrSkip } from '../../tools/gates/require-tool.ts';
import systemTools from '../../tools/gates/system-tools.json' with { type: 'json' };

const tool: SystemTool = { debian: 'some-tool', why: 'its figures', commands: ['a'], probe: [] };

function recorder() {
  const reasons: string[] = [];
  return { reasons, skip: (reason: string) => void reasons.push(reason) };
}

test('a missing tool is a skip with a reason, and a failure where everything is required', () => {
  const t = recorder();
  assert.equal(toolOrSkip(t, tool, undefined, false), undefined);
  assert.deepEqual(t.reasons, ['missing system tool some-tool (its figures; Debian: apt-get install some-tool)']);
  assert.throws(
    () => toolOrSkip(recorder(), tool, undefined, true),
    /QFLARE_REQUIRE_ALL is 1: missing system tool some-tool/,
  );
});

test('a tool that is there is not skipped', () => {
  const t = recorder();
  assert.equal(toolOrSkip(t, tool, 'a', true), 'a');
  assert.deepEqual(t.reasons, []);
});

test('findTool() takes the first command that answers its probe, and none where none does', () => {
  const probe = ['--eval', 'process.exit(0)'];
  assert.equal(findTool({ ...tool, commands: ['no-such-command', process.execPath], probe }), process.execPath);
  assert.equal(findTool({ ...tool, commands: [process.execPath], probe: ['--eval', 'process.exit(1)'] }), undefined);
});

test('requireTool() gives numpy a command where there is one', (t) => {
  const python = requireTool(t, 'python3-numpy');
  if (python === undefined) return;
  assert.ok(systemTools['python3-numpy'].commands.includes(python));
});

test('requirePackage() skips with the command that installs it, and fails where everything is required', () => {
  const t = recorder();
  const before = process.env['QFLARE_REQUIRE_ALL'];
  try {
    delete process.env['QFLARE_REQUIRE_ALL'];
    assert.equal(requirePackage(t, 'no-such-package'), false);
    assert.match(t.reasons[0]!, /missing optional package no-such-package \(npm ci --prefix tools\/optional/);
    process.env['QFLARE_REQUIRE_ALL'] = '1';
    assert.throws(() => requirePackage(t, 'no-such-package'), /Cannot skip as QFLARE_REQUIRE_ALL is 1/);
  } finally {
    if (before === undefined) delete process.env['QFLARE_REQUIRE_ALL'];
    else process.env['QFLARE_REQUIRE_ALL'] = before;
  }
});

test('every listed system tool names its package, its reason and a probe', () => {
  for (const { debian, why, commands, probe } of Object.values<SystemTool>(systemTools)) {
    assert.match(debian, /^[a-z0-9][a-z0-9.+ -]+$/);
    assert.ok(why.length > 10 && commands.length > 0 && probe.length > 0);
  }
});
