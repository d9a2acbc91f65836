import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { aggregateCommand } from './commands/aggregate.ts';
import { auditCommand } from './commands/audit.ts';
import { caCommand } from './commands/ca.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { demoCommand } from './commands/demo.ts';
import { devicesCommand } from './commands/devices.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { initCommand } from './commands/init.ts';
import { inviteCommand } from './commands/invite.ts';
import { joinCommand } from './commands/join.ts';
import { keysCommand } from './commands/keys.ts';
import { labCommand } from './commands/lab.ts';
import { personalCommand } from './commands/personal.ts';
import { planCommand } from './commands/plan.ts';
import { privacyCommand } from './commands/privacy.ts';
import { qkdCommand } from './commands/qkd.ts';
import { releaseCommand } from './commands/release.ts';
import { serveCommand } from './commands/serve.ts';
import { simulateCommand } from './commands/simulate.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { exitCodes, explainFailure } from './failure.ts';
import { version } from './version.ts';

/** The whole command line, as a value: tests and the docs' checks use it too. */
export function createProgram(): Command {
  const program = new Command('qflare')
    .description('Quantum-secure federated learning with Byzantine fault tolerance')
    .version(version)
    .showHelpAfterError('(add --help to see what there is)')
    .showSuggestionAfterError()
    .exitOverride();
  const commands = [
    demoCommand(),
    initCommand(),
    serveCommand(),
    inviteCommand(),
    joinCommand(),
    personalCommand(),
    statusCommand(),
    devicesCommand(),
    stopCommand(),
    keysCommand(),
    caCommand(),
    exportCommand(),
    auditCommand(),
    backupCommand(),
    restoreCommand(),
    simulateCommand(),
    labCommand(),
    aggregateCommand(),
    planCommand(),
    doctorCommand(),
    privacyCommand(),
    qkdCommand(),
    releaseCommand(),
  ];
  for (const command of commands) program.addCommand(withCodes(command));
  return program;
}

/** Usage that is wrong ends with our code, in commands below commands too: they inherit nothing. */
function withCodes(command: Command): Command {
  for (const below of command.commands) withCodes(below);
  return command.exitOverride();
}

/** Runs a command line and gives the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.plan;
    const { message, exitCode } = explainFailure(error);
    process.stderr.write(`qflare: ${message}\n`);
    return exitCode;
  }
}
