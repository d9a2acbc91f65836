/**
 * Straight-line SIMD expressions over one vector (four coordinates) of each row, as a graph whose equal parts are shared.
 * Only what an output needs is emitted, what is scheduled first and in that order, the rest depth first: pruning a sorting
 * network to the ranks wanted costs nothing extra.
 */
export type Node = number;

type Operation =
  | { readonly kind: 'row'; readonly row: number; readonly reading: number }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'binary'; readonly opcode: number; readonly left: Node; readonly right: Node }
  | { readonly kind: 'unary'; readonly opcode: number; readonly operand: Node };

const opcodes = {
  eq: 0x41,
  ne: 0x42,
  lt: 0x43,
  gt: 0x44,
  and: 0x4e,
  andnot: 0x4f,
  or: 0x50,
  xor: 0x51,
  addInt: 0xae01,
  subInt: 0xb101,
  signInt: 0xac01,
  minInt: 0xb601,
  maxInt: 0xb801,
  abs: 0xe001,
  add: 0xe401,
  sub: 0xe501,
  mul: 0xe601,
  pmin: 0xea01,
  pmax: 0xeb01,
  convert: 0xfa01,
} as const;

export type Opcode = keyof typeof opcodes;

export type Graph = {
  /** A row's vector; with another `reading` it is loaded again instead of being kept. */
  row(row: number, reading?: number): Node;
  constant(value: number): Node;
  unary(opcode: Opcode, operand: Node): Node;
  binary(opcode: Opcode, left: Node, right: Node): Node;
  /** A balanced tree of one operation: short chains, small rounding errors. */
  tree(opcode: Opcode, nodes: readonly Node[]): Node;
  /**
   * Asks for nodes to be computed ahead of the roots, in the order of the calls. The two outputs of a comparator, one
   * after the other, leave as many values alive as there were; depth first both inputs would wait for the second.
   */
  schedule(...nodes: readonly Node[]): void;
  /** Leaves the values of the roots on the stack, one after the other, with `between` emitted after each but the last. */
  emit(roots: readonly Node[], emitter: Emitter, between: () => void): void;
};

/** Where code goes: bytes, and locals that can be given back. */
export type Emitter = {
  push(...bytes: number[]): void;
  takeLocal(): number;
  giveLocal(local: number): void;
  loadRow(row: number): void;
};

export function createGraph(): Graph {
  const operations: Operation[] = [];
  const known = new Map<string, Node>();
  const ahead: Node[] = [];
  const add = (operation: Operation): Node => {
    const key = Object.values(operation).join();
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, operations.length);
    return operations.push(operation) - 1;
  };
  const graph: Graph = {
    row: (row, reading = 0) => add({ kind: 'row', row, reading }),
    constant: (value) => add({ kind: 'constant', value }),
    unary: (opcode, operand) => add({ kind: 'unary', opcode: opcodes[opcode], operand }),
    binary: (opcode, left, right) => add({ kind: 'binary', opcode: opcodes[opcode], left, right }),
    tree(opcode, nodes) {
      if (nodes.length === 1) return nodes[0]!;
      const half = nodes.length >> 1;
      return graph.binary(opcode, graph.tree(opcode, nodes.slice(0, half)), graph.tree(opcode, nodes.slice(half)));
    },
    schedule: (...nodes) => void ahead.push(...nodes),
    emit: (roots, emitter, between) => emitRoots(operations, ahead, roots, emitter, between),
  };
  return graph;
}

/** How often each node that the roots need is used. */
function countUses(operations: readonly Operation[], roots: readonly Node[]): Uint32Array {
  const uses = new Uint32Array(operations.length);
  const visit = (node: Node): void => {
    uses[node]! += 1;
    if (uses[node]! > 1) return;
    for (const part of partsOf(operations[node]!)) visit(part);
  };
  for (const root of roots) visit(root);
  return uses;
}

function partsOf(operation: Operation): readonly Node[] {
  if (operation.kind === 'binary') return [operation.left, operation.right];
  return operation.kind === 'unary' ? [operation.operand] : [];
}

/** A node that is used again stays in a local until its last use. */
function emitRoots(
  operations: readonly Operation[],
  ahead: readonly Node[],
  roots: readonly Node[],
  emitter: Emitter,
  between: () => void,
): void {
  const uses = countUses(operations, roots);
  const locals = new Map<Node, number>();
  const visit = (node: Node): void => {
    const kept = locals.get(node);
    uses[node]! -= 1;
    if (kept !== undefined) {
      emitter.push(0x20, ...unsigned(kept));
      if (uses[node] === 0) emitter.giveLocal(kept);
      return;
    }
    const operation = operations[node]!;
    for (const part of partsOf(operation)) visit(part);
    emitOperation(operation, emitter);
    if ((uses[node] ?? 0) < 1) return;
    const local = emitter.takeLocal();
    locals.set(node, local);
    emitter.push(0x22, ...unsigned(local));
  };
  for (const node of ahead) {
    if (uses[node] === 0 || locals.has(node)) continue;
    for (const part of partsOf(operations[node]!)) visit(part);
    emitOperation(operations[node]!, emitter);
    const local = emitter.takeLocal();
    locals.set(node, local);
    emitter.push(0x21, ...unsigned(local));
  }
  for (const [index, root] of roots.entries()) {
    visit(root);
    if (index < roots.length - 1) between();
  }
}

function emitOperation(operation: Operation, emitter: Emitter): void {
  switch (operation.kind) {
    case 'row':
      return emitter.loadRow(operation.row);
    case 'constant': {
      const bytes = new Uint8Array(Float32Array.from({ length: 4 }, () => operation.value).buffer);
      return emitter.push(0xfd, 0x0c, ...bytes);
    }
    case 'unary':
      // An arithmetic shift by 31: all bits are the sign.
      if (operation.opcode === opcodes.signInt) emitter.push(0x41, 31);
      return emitter.push(0xfd, ...opcodeBytes(operation.opcode));
    case 'binary':
      return emitter.push(0xfd, ...opcodeBytes(operation.opcode));
  }
}

function opcodeBytes(opcode: number): number[] {
  return opcode > 0xff ? [opcode >> 8, opcode & 0xff] : [opcode];
}

/** LEB128. */
export function unsigned(value: number): number[] {
  const bytes = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}
