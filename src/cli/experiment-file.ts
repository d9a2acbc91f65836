import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { parse as parseToml, TomlError } from 'smol-toml';
import { Failure } from './failure.ts';

/** The table of a TOML file that describes an experiment; its own schema checks it. */
export async function readExperiment(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Failure('plan', `Cannot read ${path} as there is no such file: examples/lab holds some`);
  });
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.split('\n');
    throw new Failure(
      'plan',
      `Cannot read ${path} as it must be TOML: line ${error.line}, column ${error.column}: ${reason}`,
    );
  }
}

/** An option’s number of threads. */
export function threadCount(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= 256) return value;
  throw new InvalidArgumentError('It must be an integer from 1 to 256.');
}
