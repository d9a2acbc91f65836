import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePipeline } from './pipeline.ts';
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

test('a mistyped rule names the one that was meant, and nothing where none is near', () => {
  assert.throws(
    () => parsePipeline([{ rule: 'krumm', f: 1 }]),
    / \(did you mean "krum"\?\): current value is "krumm"$/,
  );
  assert.throws(
    () => parsePipeline([{ rule: 'trimed-maen' }]),
    / \(did you mean "trimmed-mean"\?\): current value is "trimed-maen"$/,
  );
  assert.throws(() => parsePipeline([{ rule: 'average' }]), /current value is "average"$/);
  assert.throws(() => parsePipeline([{}]), /current value is nothing$/);
  assert.throws(() => parsePipeline([{ rule: 'krum', f: 1, neighbors: 3 }]), /Unrecognized key: "neighbors"/);
});
