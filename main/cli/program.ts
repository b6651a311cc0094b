/** All commands and their options. What each does is in commands/. */
import { Command } from 'commander';
import { groupActions } from './group.ts';
import { packageVersion } from '../host/version.ts';
import type { Context, Start } from './context.ts';

type MakeCommand = (start: Start) => Promise<Command>;

/** Most commands need the settings from the beginning, for their flags. */
const withSettings =
  (load: () => Promise<(context: Context) => Command>): MakeCommand =>
  async (start) => {
    const [make, context] = await Promise.all([load(), start.context()]);
    return make(context);
  };

/** In the order of the help. Loaded when they are needed: listing runs must not wait for what training imports. */
const COMMANDS: Readonly<Record<string, MakeCommand>> = {
  start: withSettings(async () => (await import('./commands/start.ts')).startCommand),
  serve: withSettings(async () => (await import('./commands/serve.ts')).serveCommand),
  quickstart: withSettings(async () => (await import('./commands/quickstart.ts')).quickstartCommand),
  train: withSettings(async () => (await import('./commands/train.ts')).trainCommand),
  sweep: withSettings(async () => (await import('./commands/sweep.ts')).sweepCommand),
  run: withSettings(async () => (await import('./commands/run.ts')).runCommand),
  script: async (start) => (await import('./commands/script.ts')).scriptCommand(start),
  fit: withSettings(async () => (await import('./commands/fit.ts')).fitCommand),
  check: withSettings(async () => (await import('./commands/check.ts')).checkCommand),
  queue: withSettings(async () => (await import('./commands/queue.ts')).queueCommand),
  runs: async (start) => (await import('./commands/runs.ts')).runsCommand(start),
  export: withSettings(async () => (await import('./commands/export.ts')).exportCommand),
  plot: withSettings(async () => (await import('./commands/plot.ts')).plotCommand),
  import: withSettings(async () => (await import('./commands/import.ts')).importCommand),
  sample: withSettings(async () => (await import('./commands/sample.ts')).sampleCommand),
  wandb: async (start) => (await import('./commands/wandb.ts')).wandbCommand(start),
  data: withSettings(async () => (await import('./commands/data.ts')).dataCommand),
  setup: withSettings(async () => (await import('./commands/setup.ts')).setupCommand),
  doctor: withSettings(async () => (await import('./commands/doctor.ts')).doctorCommand),
};
export const COMMAND_NAMES = Object.keys(COMMANDS);

/** Global options that take the argument after them. */
const WITH_VALUE = new Set(['--data-dir', '--plugin']);

/** The command that is asked for; undefined when there is none, or no such one, so that all are needed to say so. */
export function askedFor(args: readonly string[]): string | undefined {
  const first = args.find((arg, i) => !arg.startsWith('-') && !WITH_VALUE.has(args[i - 1]));
  return first !== undefined && Object.hasOwn(COMMANDS, first) ? first : undefined;
}

const EXAMPLES = `
Examples:
  sweeplab start                                             the app, or the same in the browser
  sweeplab quickstart                                        a first sweep in the terminal, in about two minutes
  sweeplab train --recipe quick --model.depth 4              one run
  sweeplab sweep --recipe quick --model.depth 2 4 --model.width 64 128 --seeds 3 --review
  sweeplab run -- python train.py --lr 1e-3                  any program as a run
  sweeplab fit --recipe gpt2-124m --gpu "RTX 4090"           does it fit, how long does it take
  sweeplab runs ls --where 'val/bpb<2' --sort val/bpb        what came out
  sweeplab export --format csv-wide --out runs.csv           everything, for a spreadsheet
  sweeplab plot latest --x tokens --out figure.pdf           mean and band per setting, for a paper
  sweeplab import wandb/ results.csv --dry-run               runs of other tools; without --dry-run they are written
  sweeplab train --help                                      every setting, by question

Exit codes: 0 done, 1 a run failed, 2 bad input (nothing was started), 130 interrupted.`;

/** With the command that `args` ask for, or with all of them. */
export async function buildProgram(start: Start, args: readonly string[] = []): Promise<Command> {
  const program = groupActions(new Command('sweeplab'))
    .description('An experiment lab for small language models: sweeps over many settings and several seeds.')
    .version(packageVersion())
    .option('--data-dir <folder>', 'where runs, checkpoints and caches lie (or SWEEPLAB_HOME)')
    .option('--plugin <file>', 'load a plug-in file or folder too (can be repeated)', collect, [])
    .option('--json', 'print JSON for machines on standard output, notes on standard error')
    .addHelpText('after', EXAMPLES);
  const asked = askedFor(args);
  for (const name of asked === undefined ? COMMAND_NAMES : [asked]) {
    program.addCommand(await COMMANDS[name](start));
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
