import { z } from 'zod';
import { type Plan, planSchema } from '../core/plan/plan.ts';
import { version } from './version.ts';

type Node = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly allOf?: readonly Node[];
};

/**
 * Writes a plan as TOML with every setting, its value and what it means. Settings of the cohort in `commented` are
 * shown as comments: they follow from others.
 */
export function renderPlanToml(plan: Plan, commented: readonly string[] = []): string {
  const schema = z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const lines = [
    `# The plan of a QFLARE run (${version}). Every setting is here with its value; remove what you do not change.`,
    '# An unknown or mistyped setting is refused with its path.',
    '',
  ];
  const tables: string[] = [];
  for (const [key, value] of Object.entries(plan)) {
    const node = schema.properties?.[key] ?? {};
    if (isTable(value))
      tables.push('', ...comment(node), `[${key}]`, ...settings(value, node, key === 'cohort' ? commented : []));
    else lines.push(...comment(node), `${key} = ${tomlValue(value)}`);
  }
  return `${[...lines, ...tables].join('\n')}\n`;
}

function settings(table: Readonly<Record<string, unknown>>, node: Node, commented: readonly string[]): string[] {
  return Object.entries(table).flatMap(([key, value]) => [
    ...comment(node.properties?.[key] ?? {}),
    `${commented.includes(key) ? '# ' : ''}${key} = ${tomlValue(value)}`,
  ]);
}

function comment({ description }: Node): string[] {
  return description === undefined ? [] : [`# ${description}`];
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  if (isTable(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{ ${members.map(([key, member]) => `${tomlKey(key)} = ${tomlValue(member)}`).join(', ')} }`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Names of columns are keys too, and may be any text. */
function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}
