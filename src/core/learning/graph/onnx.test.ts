import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, relu } from './elementwise-ops.ts';
import { toOnnx } from './onnx.ts';
import { readOnnx } from './onnx-reader.fixture.ts';
import { reshape } from './shape-ops.ts';
import { input, scalar } from './value.ts';

test('the bytes of the smallest model are the ones written by hand from onnx.proto3', () => {
  const x = input([2]);
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  // A node: input (1) x, output (2) y, op_type (4) Relu.
  const node = [0x0a, ...text('x'), 0x12, ...text('y'), 0x22, ...text('Relu')];
  // A value: name (1), type (2) { tensor_type (1) { elem_type (1) = 1, shape (2) { dim (1) { dim_value (1) = 2 } } } }.
  const type = [0x08, 1, 0x12, 4, 0x0a, 2, 0x08, 2];
  const value = (name: string): number[] => [0x0a, ...text(name), 0x12, type.length + 2, 0x0a, type.length, ...type];
  // The graph: nodes (1), name (2), inputs (11), outputs (12).
  const graph = [0x0a, node.length, ...node, 0x12, ...text('qflare')];
  graph.push(0x5a, value('x').length, ...value('x'), 0x62, value('y').length, ...value('y'));
  // The model: ir_version (1) = 8, producer (2), graph (7), opset_import (8) { domain (1) '', version (2) = 17 }.
  const expected = [0x08, 8, 0x12, ...text('qflare'), 0x3a, graph.length, ...graph, 0x42, 4, 0x0a, 0, 0x10, 17];
  assert.deepEqual(Array.from(toOnnx({ inputs: { x }, outputs: { y: relu(x) } })), expected);
});

test('each node is written once, what no output needs is not, and constants come along', () => {
  const [x, unused] = [input([2, 3]), input([1])];
  const shared = relu(x);
  relu(unused);
  const y = reshape(add(shared, add(shared, scalar(-1.5))), [6]);
  const model = readOnnx(toOnnx({ inputs: { x, unused }, outputs: { y } }));
  assert.deepEqual(
    model.nodes.map(({ operator }) => operator),
    ['Relu', 'Add', 'Add', 'Reshape'],
  );
  assert.deepEqual(model.inputs, ['x', 'unused']);
  assert.deepEqual(Object.values(model.constants), [
    { shape: [], data: [-1.5] },
    { shape: [1], data: [6] },
  ]);
  assert.equal(model.version, 17);
});

test('a value that goes out twice, or comes in and goes out, is copied', () => {
  const x = input([2]);
  const y = relu(x);
  const { nodes } = readOnnx(toOnnx({ inputs: { x }, outputs: { first: y, second: y, same: x } }));
  assert.deepEqual(
    nodes.map(({ operator, outputs }) => `${operator} → ${outputs.join()}`),
    ['Relu → first', 'Identity → second', 'Identity → same'],
  );
});

test('negative and large whole numbers survive', () => {
  const y = reshape(input([300]), [300]);
  const { constants } = readOnnx(toOnnx({ inputs: { x: y.node.inputs[0]! }, outputs: { y } }));
  assert.deepEqual(Object.values(constants), [{ shape: [1], data: [300] }]);
});

test('an input without a name is refused', () => {
  assert.throws(() => toOnnx({ inputs: {}, outputs: { y: relu(input([1])) } }), /every input must have a name/);
});
