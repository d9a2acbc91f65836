import { Command, InvalidArgumentError, Option } from 'commander';
import { ledgerCommand } from './privacy-ledger.ts';
import { optimizeCommand } from './privacy-optimize.ts';
import type { EpsilonReport } from '../../core/privacy/index.ts';

type Shared = {
  readonly sampleRate: number;
  readonly steps: number;
  readonly delta: number;
  readonly adjacency: 'add-or-remove-one' | 'replace-one';
  readonly json?: boolean;
};

/** `qflare privacy epsilon|noise|plan|optimize|ledger`: what a schedule costs, the noise it needs, what a run has spent. */
export function privacyCommand(): Command {
  return new Command('privacy')
    .description('what noisy rounds cost, the noise that a budget needs, and what a run has spent')
    .addCommand(epsilonCommand())
    .addCommand(noiseCommand())
    .addCommand(planCommand())
    .addCommand(optimizeCommand())
    .addCommand(ledgerCommand());
}

function epsilonCommand(): Command {
  return withShared(new Command('epsilon').description('ε of subsampled Gaussian rounds at δ'))
    .requiredOption('--noise-multiplier <number>', 'σ ÷ clip norm; 0: no noise', toNumber)
    .action(async (options: Shared & { readonly noiseMultiplier: number }) => {
      const { epsilon } = await import('../../core/privacy/index.ts');
      const { noiseMultiplier, sampleRate, steps, delta, adjacency } = options;
      const report = epsilon({ noiseMultiplier, sampleRate, steps, delta, adjacency });
      if (options.json) return writeJson(withNulls(report));
      writeLine(
        `ε = ${format(report.epsilon)} at δ = ${delta} (PLD ${format(report.pld)}, RDP ${format(report.rdp)}; ${adjacency})`,
      );
    });
}

function noiseCommand(): Command {
  return withShared(new Command('noise').description('the least noise multiplier that stays within ε at δ'))
    .requiredOption('--epsilon <number>', 'the ε that all rounds together may cost', toNumber)
    .action(async (options: Shared & { readonly epsilon: number }) => {
      const { noiseMultiplier } = await import('../../core/privacy/index.ts');
      const { epsilon, sampleRate, steps, delta, adjacency } = options;
      const report = noiseMultiplier({ epsilon, sampleRate, steps, delta, adjacency });
      if (options.json) return writeJson({ noiseMultiplier: report.noiseMultiplier });
      writeLine(
        `noise multiplier ${format(report.noiseMultiplier)}: ε = ${format(report.epsilon)} of ${epsilon} at δ = ${delta}`,
      );
    });
}

function planCommand(): Command {
  return withShared(new Command('plan').description('the noise for a budget and the ε spent as the rounds go by'))
    .requiredOption('--epsilon <number>', 'the ε that all rounds together may cost', toNumber)
    .action(async (options: Shared & { readonly epsilon: number }) => {
      const { epsilon, noiseMultiplier } = await import('../../core/privacy/index.ts');
      const { epsilon: budget, sampleRate, steps, delta, adjacency } = options;
      const found = noiseMultiplier({ epsilon: budget, sampleRate, steps, delta, adjacency });
      const spentAfter = [0.25, 0.5, 0.75, 1].map((share) => {
        const rounds = Math.ceil(share * steps);
        const { epsilon: spent } = epsilon({ ...options, noiseMultiplier: found.noiseMultiplier, steps: rounds });
        return { rounds, epsilon: spent };
      });
      const utilisation = found.epsilon / budget;
      const { noiseMultiplier: noise } = found;
      const report = {
        noiseMultiplier: noise,
        budget,
        epsilon: found.epsilon,
        utilisation,
        delta,
        adjacency,
        spentAfter,
      };
      if (options.json) return writeJson(report);
      writeLine(
        `noise multiplier ${format(noise)} uses ${(100 * utilisation).toFixed(2)} % of ε = ${budget} at δ = ${delta}`,
      );
      for (const row of spentAfter) writeLine(`after ${row.rounds} rounds: ε = ${format(row.epsilon)}`);
    });
}

function withShared(command: Command): Command {
  return command
    .requiredOption(
      '--sample-rate <number>',
      'probability that a client takes part in a round, by a secret coin of its own: 0 to 1',
      toNumber,
    )
    .requiredOption('--steps <count>', 'noisy rounds', toNumber)
    .requiredOption(
      '--delta <number>',
      'probability that the bound does not hold: far below 1 over the number of clients',
      toNumber,
    )
    .addOption(
      new Option('--adjacency <relation>', 'what a neighbouring data set is')
        .choices(['add-or-remove-one', 'replace-one'])
        .default('add-or-remove-one'),
    )
    .option('--json', 'one JSON document on stdout; infinity is null');
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function withNulls({ epsilon, pld, rdp, delta, adjacency }: EpsilonReport) {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  return { epsilon: finite(epsilon), pld: finite(pld), rdp: finite(rdp), delta, adjacency };
}

function format(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(6) : '∞';
}

function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

function writeJson(value: unknown): void {
  writeLine(JSON.stringify(value));
}
