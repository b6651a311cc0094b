/** Entry of the `sweeplab` command: reads the global options, runs the command (settings and plug-ins are loaded when it needs them), maps errors to exit codes. */
import { CommanderError } from 'commander';
import { openFilesProblem } from '../files/openFiles.ts';
import { dataHome, labPaths } from '../host/paths.ts';
import { keepPrivate } from '../host/private.ts';
import type { Context, Start } from './context.ts';
import { dataFolderProblem } from '../host/dataFolderProblem.ts';
import { exitCodeOf, InputError } from './errors.ts';
import { endWithReader } from './interrupts.ts';
import { Output } from './output.ts';
import { askedFor, buildProgram, COMMAND_NAMES } from './program.ts';

/** Values of a global option wherever it stands; needed before the flags of the settings (which plug-ins extend) are known. */
function globalOption(args: readonly string[], name: string): string[] {
  const end = args.indexOf('--');
  return args.flatMap((arg, i) => {
    if (end >= 0 && i > end) return [];
    if (arg === name) return args[i + 1] === undefined ? [] : [args[i + 1]];
    return arg.startsWith(`${name}=`) ? [arg.slice(name.length + 1)] : [];
  });
}

function begin(args: readonly string[], output: Output): Start {
  const home = globalOption(args, '--data-dir').at(-1);
  let made: Promise<Context> | undefined;
  return {
    output,
    paths: labPaths(dataHome(home)),
    context: () => (made ??= makeContext(home, globalOption(args, '--plugin'), output)),
  };
}

async function makeContext(home: string | undefined, plugins: readonly string[], output: Output): Promise<Context> {
  const { loadWorkshop } = await import('../host/lab.ts');
  const options = { home };
  const exit = (code: number): void => {
    process.exitCode = code;
  };
  try {
    return { output, exit, workshop: await loadWorkshop({ ...options, plugins }), pluginError: undefined };
  } catch (error) {
    // Commands that need no settings (doctor, runs) still work, and say what is wrong.
    return {
      output,
      exit,
      workshop: await loadWorkshop({ ...options, withoutPlugins: true }),
      pluginError: error as Error,
    };
  }
}

/** Runs one command. Sets the exit code of the process and never throws. */
export async function run(args: readonly string[]): Promise<void> {
  keepPrivate();
  const output = new Output(args.includes('--json'));
  endWithReader();
  try {
    const start = begin(args, output);
    const program = await buildProgram(start, args);
    try {
      await program.parseAsync(args, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return;
      throw await commanderProblem(error, args, start);
    }
  } catch (error) {
    const home = labPaths(dataHome(globalOption(args, '--data-dir').at(-1))).home;
    process.exitCode = report(error, output, home);
  }
}

/** Commander's own messages, with better suggestions for unknown flags. */
async function commanderProblem(error: CommanderError, args: readonly string[], start: Start): Promise<InputError> {
  if (error.code === 'commander.unknownOption') {
    const flag = /'(-[^']*)'/u.exec(error.message)?.[1] ?? '';
    // A flag of a setting that stands before the command has a value that is no command.
    const command = askedFor(args) ?? args.find((arg) => COMMAND_NAMES.includes(arg));
    const takesSettings = command !== undefined && ['train', 'sweep', 'fit', 'data'].includes(command);
    const known = [
      '--json',
      '--data-dir',
      '--plugin',
      '--help',
      '--version',
      ...(await commandOptions(start, command)),
    ];
    const { unknownFlag } = await import('./settingFlags.ts');
    const registry = takesSettings ? (await start.context()).workshop.registry : undefined;
    const after =
      command === 'run' ? '; what is meant for the program stands after --, and all of it: run -- python …' : '';
    return new InputError(`${unknownFlag(flag, registry, known)}${after}`);
  }
  return new InputError(error.message.replace(/^error: /u, ''));
}

async function commandOptions(start: Start, command: string | undefined): Promise<string[]> {
  if (command === undefined) return [];
  const [found] = (await buildProgram(start, [command])).commands;
  return found.options.flatMap(({ long }) => (long ? [long] : []));
}

/** Where the system says in its own words, and in those of whoever asked it, that no more files can be opened. */
function inWords(error: unknown): string {
  const { message } = error as Error;
  const many = openFilesProblem(error);
  return many === undefined || message.includes(many) ? message : `${many} (${message.split('\n', 1)[0]})`;
}

/** Tells the user. @returns the exit code */
function report(error: unknown, output: Output, home: string): number {
  // Letting go of the lab failed too, after what matters: usually for the same reason.
  if (error instanceof SuppressedError) return report(error.suppressed, output, home);
  const code = exitCodeOf(error);
  const { name, stack } = error as Error;
  const message = dataFolderProblem(error, home) ?? inWords(error);
  const problems = error instanceof InputError ? error.problems : [];
  if (output.json) output.data({ error: { message, name, exitCode: code, problems } });
  output.error(`${output.style('red', 'sweeplab:')} ${message}`);
  if ((process.env.SWEEPLAB_DEBUG ?? '') !== '') output.error(String(stack));
  return code;
}
