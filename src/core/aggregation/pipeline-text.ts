import type { Pipeline } from './pipeline.ts';

/**
 * Reads a pipeline as JSON, or in short: `nnm f=1 > trimmed-mean f=1`. Values are numbers, true, false, or words.
 * Names and options are checked later, by the pipeline's schema.
 */
export function parsePipelineText(text: string): Pipeline {
  if (text.trim().startsWith('[')) return parseJson(text) as Pipeline;
  return text.split('>').map((step) => {
    const [rule, ...options] = step.trim().split(/\s+/);
    return Object.fromEntries([['rule', rule], ...options.map(parseOption)]);
  }) as unknown as Pipeline;
}

function parseOption(text: string): [string, unknown] {
  const [, name, value] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new RangeError(
      `Cannot read the pipeline as an option must be name=value: current value is "${text}" (">" parts one step from the next)`,
    );
  }
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, Number.isNaN(Number(value)) ? value : Number(value)];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`Cannot read the pipeline as it must be JSON: ${(error as Error).message}`);
  }
}

/** A pipeline in short, as `parsePipelineText` reads it. */
export function pipelineText(pipeline: Pipeline): string {
  return pipeline
    .map(({ rule, ...options }) =>
      [rule, ...Object.entries(options).map(([name, value]) => `${name}=${String(value)}`)].join(' '),
    )
    .join(' > ');
}
