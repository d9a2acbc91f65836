// What `node:test` is in a process that runs tests for mutants: it collects tests, so that some can be run and again.
type Body = (context: Context) => unknown;
type Options = { readonly skip?: boolean | string; readonly timeout?: number };
type Hook = () => unknown;
type Suite = { readonly parent?: Suite; readonly name: string; readonly isSkipped: boolean; readonly hooks: Hooks };
type Hooks = Record<'before' | 'after' | 'beforeEach' | 'afterEach', Hook[]>;

export type Test = { readonly name: string; readonly suite: Suite; readonly isSkipped: boolean; readonly body: Body };

const suiteOf = (name: string, isSkipped: boolean, parent?: Suite): Suite => ({
  name,
  isSkipped,
  hooks: { before: [], after: [], beforeEach: [], afterEach: [] },
  ...(parent === undefined ? {} : { parent }),
});

let suite = suiteOf('', false);
let tests: Test[] = [];

/** The tests that were declared since the last call. */
export function takeTests(): readonly Test[] {
  const taken = tests;
  tests = [];
  suite = suiteOf('', false);
  return taken;
}

class Context {
  readonly name: string;
  readonly signal = new AbortController().signal;
  readonly afters: Hook[] = [];
  constructor(name: string) {
    this.name = name;
  }
  after(hook: Hook): void {
    this.afters.push(hook);
  }
  diagnostic(): void {}
  skip(): void {}
  async test(...args: readonly unknown[]): Promise<void> {
    const { name, options, body } = readArguments(args);
    if (options.skip === undefined || options.skip === false) await runBody(name, body);
  }
}

async function runBody(name: string, body: Body): Promise<void> {
  const context = new Context(name);
  try {
    await body(context);
  } finally {
    for (const hook of context.afters) await hook();
  }
}

const suitesOf = (inner: Suite): readonly Suite[] => [...(inner.parent ? suitesOf(inner.parent) : []), inner];

/** Runs tests one after another with the hooks of their suites; ends with the first that throws, which is returned. */
export async function runTests(
  chosen: readonly Test[],
  onTest: (index: number) => void = () => {},
): Promise<number | undefined> {
  const begun = new Set<Suite>();
  for (const [index, test] of chosen.entries()) {
    if (test.isSkipped) continue;
    const suites = suitesOf(test.suite);
    try {
      for (const each of suites.filter((s) => !begun.has(s))) {
        begun.add(each);
        for (const hook of each.hooks.before) await hook();
      }
      for (const hook of suites.flatMap(({ hooks }) => hooks.beforeEach)) await hook();
      await runBody(test.name, test.body);
      for (const hook of suites.flatMap(({ hooks }) => hooks.afterEach)) await hook();
    } catch {
      return index;
    } finally {
      onTest(index);
    }
  }
  for (const each of [...begun].toReversed()) for (const hook of each.hooks.after) await hook();
  return undefined;
}

function readArguments(args: readonly unknown[]) {
  const name = args.find((arg) => typeof arg === 'string') ?? '';
  const options = (args.find((arg) => typeof arg === 'object') ?? {}) as Options;
  const body = (args.find((arg) => typeof arg === 'function') ?? (() => {})) as Body;
  return { name, options, body };
}

export function test(...args: readonly unknown[]): void {
  const { name, options, body } = readArguments(args);
  const isSkipped = suite.isSkipped || (options.skip !== undefined && options.skip !== false);
  tests.push({ name: [suite.name, name].filter(Boolean).join(' > '), suite, isSkipped, body });
}

export function describe(...args: readonly unknown[]): void {
  const { name, options, body } = readArguments(args);
  const outer = suite;
  const isSkipped = outer.isSkipped || (options.skip !== undefined && options.skip !== false);
  suite = suiteOf([outer.name, name].filter(Boolean).join(' > '), isSkipped, outer);
  const made = body(new Context(name));
  suite = outer;
  if (made instanceof Promise) throw new Error(`Cannot collect ${name} as a suite must be declared at once: it waits`);
}

export const it = (...args: readonly unknown[]): void => test(...args);
export const before = (hook: Hook): void => void suite.hooks.before.push(hook);
export const after = (hook: Hook): void => void suite.hooks.after.push(hook);
export const beforeEach = (hook: Hook): void => void suite.hooks.beforeEach.push(hook);
export const afterEach = (hook: Hook): void => void suite.hooks.afterEach.push(hook);
