import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePipelineText, pipelineText } from './pipeline-text.ts';

test('parsePipelineText() reads the short form and JSON, and pipelineText() writes the short form', () => {
  const pipeline = [
    { rule: 'nnm', f: 2 },
    { rule: 'centered-clipping', radius: 'auto', unproven: true },
  ];
  const text = 'nnm f=2 > centered-clipping radius=auto unproven=true';
  assert.deepEqual(parsePipelineText(text), pipeline);
  assert.equal(pipelineText(pipeline as never), text);
  assert.deepEqual(parsePipelineText(JSON.stringify(pipeline)), pipeline);
});

test('parsePipelineText() names the option that it cannot read', () => {
  assert.throws(() => parsePipelineText('nnm f'), /name=value: current value is "f"/);
  assert.throws(() => parsePipelineText('[{'), /must be JSON/);
});
