/** All commands and their options. What each does is in commands/. */
import { Command } from 'commander';
import { groupActions } from './group.ts';
import { packageVersion } from '../host/version.ts';
import type { Context } from './context.ts';
import { dataCommand } from './commands/data.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { fitCommand } from './commands/fit.ts';
import { queueCommand } from './commands/queue.ts';
import { quickstartCommand } from './commands/quickstart.ts';
import { runsCommand } from './commands/runs.ts';
import { sampleCommand } from './commands/sample.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand } from './commands/start.ts';
import { sweepCommand } from './commands/sweep.ts';
import { trainCommand } from './commands/train.ts';

const EXAMPLES = `
Examples:
  sweeplab start                                             the app, or the same in the browser
  sweeplab quickstart                                        a first sweep in the terminal, in about two minutes
  sweeplab train --recipe quick --model.depth 4              one run
  sweeplab sweep --recipe quick --model.depth 2 4 --model.width 64 128 --seeds 3 --review
  sweeplab fit --recipe gpt2-124m --gpu "RTX 4090"           does it fit, how long does it take
  sweeplab runs ls --where 'val/bpb<2' --sort val/bpb        what came out
  sweeplab export --layout wide --out runs.csv               everything, for a spreadsheet
  sweeplab train --help                                      every setting, by question

Exit codes: 0 done, 1 a run failed, 2 bad input (nothing was started), 130 interrupted.`;

export function buildProgram(context: Context): Command {
  const program = groupActions(new Command('sweeplab'))
    .description('An experiment lab for small language models: sweeps over many settings and several seeds.')
    .version(packageVersion())
    .option('--data-dir <folder>', 'where runs, checkpoints and caches lie (or SWEEPLAB_HOME)')
    .option('--plugin <file>', 'load a plug-in file or folder too (can be repeated)', collect, [])
    .option('--json', 'print JSON for machines on standard output, notes on standard error')
    .addHelpText('after', EXAMPLES);
  for (const command of [
    startCommand,
    serveCommand,
    quickstartCommand,
    trainCommand,
    sweepCommand,
    fitCommand,
    runsCommand,
    queueCommand,
    exportCommand,
    sampleCommand,
    dataCommand,
    doctorCommand,
  ]) {
    program.addCommand(command(context));
  }
  for (const command of everyCommand(program)) {
    // Errors become exceptions, so that one place prints them and chooses the exit code.
    command.exitOverride().configureOutput({ outputError: () => {}, writeErr: () => {} });
    command.showSuggestionAfterError(true).helpCommand(false);
    if (command !== program) {
      // Global options are listed once, with the program.
      command.addHelpText('after', '\nGlobal options (see sweeplab --help): --data-dir, --plugin, --json');
    }
  }
  return program;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

const collect = (value: string, previous: string[]): string[] => [...previous, value];
