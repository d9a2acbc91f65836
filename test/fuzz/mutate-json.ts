import type { Rng } from '../../src/core/random/rng.ts';

const texts = [
  '',
  ' ',
  '\u0000',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '\ud800',
  'é'.repeat(300),
  'a'.repeat(5000),
  '1e9',
  '-0',
];
const numbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  255,
  256,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53),
  1e308,
  1e-320,
  1e21,
];
const keys = ['__proto__', 'constructor', 'toString', 'length', '', 'extra', '0'];

function strange(rng: Rng): unknown {
  const kind = rng.below(8);
  if (kind < 2) return texts[rng.below(texts.length)];
  if (kind < 4) return numbers[rng.below(numbers.length)];
  if (kind === 4) return [null, true, false, [], {}][rng.below(5)];
  if (kind === 5) return Array.from({ length: rng.below(40) }, () => rng.below(3));
  if (kind === 6) return nested(rng.below(60));
  return Object.fromEntries([[keys[rng.below(keys.length)]!, numbers[rng.below(numbers.length)]]]);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

type Node = Record<string, unknown> | unknown[];

function nodesOf(value: unknown, found: Node[] = []): Node[] {
  if (value === null || typeof value !== 'object') return found;
  found.push(value as Node);
  for (const member of Object.values(value)) nodesOf(member, found);
  return found;
}

/** A document with one to three changes at any depth: values replaced, keys taken, added, renamed or exchanged. */
export function mutateJson(document: unknown, rng: Rng): unknown {
  const root = { document: structuredClone(document) };
  for (let i = rng.below(3); i >= 0; i--) changeOne(root, rng);
  return root.document;
}

function changeOne(root: Node, rng: Rng): void {
  const nodes = nodesOf(root);
  const node = nodes[rng.below(nodes.length)] as Record<string, unknown>;
  const names = Object.keys(node);
  const name = names[rng.below(Math.max(1, names.length))];
  switch (rng.below(6)) {
    case 0:
      if (name !== undefined && node !== (root as unknown)) delete node[name];
      break;
    case 1:
      // An own key, as a JSON text makes it: not the prototype.
      if (Array.isArray(node)) node.push(strange(rng));
      else {
        const value = { value: strange(rng), enumerable: true, configurable: true, writable: true };
        Object.defineProperty(node, keys[rng.below(keys.length)]!, value);
      }
      break;
    case 2: {
      const other = names[rng.below(Math.max(1, names.length))];
      if (name !== undefined && other !== undefined) [node[name], node[other]] = [node[other], node[name]];
      break;
    }
    default:
      if (name !== undefined) node[name] = nudge(node[name], rng);
  }
}

/** Something near the value, or something strange. */
function nudge(value: unknown, rng: Rng): unknown {
  if (rng.below(2) === 0) return strange(rng);
  if (typeof value === 'number') return [value + 1, -value, value / 3, value * 1000, String(value)][rng.below(5)];
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return mutateText(value, rng);
  return [value, value];
}

const pieces = [
  ',',
  '"',
  "'",
  '\n',
  '\r\n',
  '\0',
  '[',
  ']',
  '{',
  '}',
  '=',
  '#',
  '1',
  '-',
  'NaN',
  '\ufeff',
  '\ud83d',
  ';',
  '"""',
  '\t',
  '.',
];

/** A text with a few characters taken, added, repeated or exchanged. */
export function mutateText(text: string, rng: Rng): string {
  let changed = text;
  for (let i = rng.below(4); i >= 0; i--) {
    const at = rng.below(changed.length + 1);
    const end = Math.min(changed.length, at + 1 + rng.below(rng.below(8) === 0 ? 200 : 4));
    const kind = rng.below(5);
    if (kind === 0) changed = changed.slice(0, at) + changed.slice(end);
    else if (kind === 1) changed = changed.slice(0, at) + pieces[rng.below(pieces.length)] + changed.slice(at);
    else if (kind === 2) changed = changed.slice(0, end) + changed.slice(at, end) + changed.slice(end);
    else if (kind === 3) changed = changed.slice(0, at) + String.fromCharCode(rng.below(65_536)) + changed.slice(end);
    else changed = changed.slice(at) + changed.slice(0, at);
  }
  return changed;
}
