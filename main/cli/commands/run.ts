/** `sweeplab run`: any program as a run. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { commandText, commandProblems } from '../../lab/programs/command.ts';
import { createTypedSweep, typedRuns } from '../../lab/programs/plan.ts';
import { requeueRun } from '../../lab/queue/resume.ts';
import { requireDatabase, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { plural } from '../format.ts';
import { runJson } from '../json.ts';
import { wholeNumber } from '../numbers.ts';
import { limitFor, runPrograms } from '../runPrograms.ts';
import { runProgramSweep } from '../runSweep.ts';
import { seedsOf } from '../valueLists.ts';

interface RunOptions {
  readonly name?: string;
  readonly seeds?: string[];
  readonly folder?: string;
  readonly resumeWith?: string;
  readonly resume?: string;
  readonly concurrency?: string;
  readonly tag?: string[];
  readonly note?: string;
  readonly dryRun?: boolean;
}

const HELP = `
What it prints is kept as the log of the run, its exit code as its end. Its numbers come from
  the W&B client, which finds this lab by the variables that the program gets,
  lines of JSON with a step on standard output: {"step": 10, "loss": 2.5},
  or the same lines in the file $SWEEPLAB_METRICS (sweeplab script writes a helper for Python).

Examples:
  sweeplab run -- python train.py --lr 1e-3
  sweeplab run --seeds 3 -- python train.py --lr 1e-3           with --seed=1, --seed=2, --seed=3
  sweeplab run --resume-with '--resume last.pt' -- python train.py
  sweeplab sweep sweep.yaml                                      with program or command: many settings`;

export function runCommand(context: Context): Command {
  return new Command('run')
    .description('Run a program of your own: watched, its log and numbers kept, ended with all that it starts.')
    .argument('[command...]', 'the program and its arguments, after --')
    .option('--name <text>', 'name of the run')
    .option('--seeds <n...>', 'runs it once for each seed, which it gets as --seed=N: how many, or which')
    .option('--folder <path>', 'where it starts (default: here)')
    .option('--resume-with <arguments>', 'arguments with which it goes on after a stop; without them it begins anew')
    .option('--resume <run>', 'go on with a run of a program that was stopped or failed')
    .option('--concurrency <n>', 'programs at a time (default: one for each card, or one)')
    .option('--tag <tags...>', 'tags of the run')
    .option('--note <text>', 'note of the run')
    .option('--dry-run', 'show what would be started and start nothing')
    .addHelpText('after', HELP)
    .action((command: string[], options: RunOptions) => run(context, command, options));
}

async function run(context: Context, command: readonly string[], options: RunOptions): Promise<void> {
  const { output } = context;
  if (options.resume !== undefined) {
    if (command.length > 0) throw new InputError('--resume goes on with the command of the run; leave the command out');
    return await resume(context, options.resume);
  }
  if (command.length === 0)
    throw new InputError(
      'there is no command; give it after --, for example: sweeplab run -- python train.py --lr 1e-3',
    );
  const resumeArguments = options.resumeWith?.split(/\s+/u).filter(Boolean) ?? null;
  const problems = commandProblems({ command, ...(resumeArguments === null ? {} : { resume: resumeArguments }) }, true);
  if (problems.length > 0) throw new InputError(problems.join('\n'));
  const seeds = seedsOf(options.seeds);
  const limit = await limitFor(wholeNumber('--concurrency', options.concurrency, 1));
  const typed = {
    command,
    folder: resolve(options.folder ?? '.'),
    name: options.name,
    seeds: typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : (seeds ?? null),
    resume: resumeArguments,
    tags: options.tag,
    note: options.note,
  };
  if (options.dryRun === true) {
    const commands = (typed.seeds ?? [null]).map((seed) => [...command, ...(seed === null ? [] : [`--seed=${seed}`])]);
    output.data({ commands, folder: typed.folder });
    for (const each of commands) output.text(commandText(each));
    output.text(`in ${typed.folder}. Nothing was started (--dry-run).`);
    return;
  }
  using lab = await writableLab(context);
  const runs = typedRuns(lab.store, typed);
  if (runs.length > 1) {
    const { sweep } = createTypedSweep(lab.store, typed, runs, limit);
    output.note(`Sweep ${sweep.id}: ${plural(runs.length, 'run')}`);
    await runProgramSweep(context, lab, sweep.id);
    return;
  }
  const { id } = lab.store.createRun(runs[0]!);
  output.note(`Run ${id}`);
  await runOne(context, lab, id);
}

async function resume(context: Context, text: string): Promise<void> {
  await requireDatabase(context);
  using lab = await writableLab(context);
  const found = lab.store.resolveRun(text);
  if (found.origin !== 'program')
    throw new InputError(`run ${found.id} is no run of a program; sweeplab train --resume goes on with Sweeplab's own`);
  if (found.state === 'finished') throw new InputError(`run ${found.id} is finished; there is nothing to resume`);
  const why = found.state === 'queued' ? undefined : requeueRun(lab.store, found);
  if (why !== undefined) throw new InputError(why);
  await runOne(context, lab, found.id);
}

async function runOne(context: Context, lab: Awaited<ReturnType<typeof writableLab>>, runId: string): Promise<void> {
  const { output } = context;
  const interrupted = await runPrograms(context, lab, { scope: { runId }, total: 1, ended: 0 });
  const ended = lab.store.getRun(runId)!;
  if (ended.state === 'finished') output.text(`See it with: sweeplab runs show ${runId}`);
  else output.text(`Go on with it, or try it again: sweeplab run --resume ${runId}`);
  output.data(runJson(ended));
  context.exit(ended.state === 'finished' ? EXIT.ok : interrupted ? EXIT.interrupted : EXIT.failed);
}
