/** `sweeplab sweep`: many settings, several seeds each, from a W&B sweep file, flags, or both. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { dryRunTextWarnings } from '../../lab/fit/index.ts';
import { createSweep } from '../../lab/launch.ts';
import { requeueSweep } from '../../lab/queue/resume.ts';
import { searchFamily } from '../../lab/search/index.ts';
import { startsPrograms } from '../../../preload/shared/sweeps/programs.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import type { MeasuredMemory } from '../../../preload/contract/shapes.ts';
import { commandText } from '../../lab/programs/command.ts';
import { earlierMemory } from '../../lab/programs/earlier.ts';
import { createProgramSweep, programRuns, programSweepProblems } from '../../lab/programs/plan.ts';
import { confirmed } from '../consent.ts';
import { readableLab, requireDatabase, requirePlugins, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatMemory, plural } from '../format.ts';
import { getReady } from '../launch.ts';
import { wholeNumber } from '../numbers.ts';
import { planJson, printPlan } from '../plan.ts';
import { makePlan, readSweep } from '../readSweep.ts';
import type { ReadSweep, SweepFlags } from '../readSweep.ts';
import { limitFor } from '../runPrograms.ts';
import { resumeSweep, runProgramSweep, runSweep } from '../runSweep.ts';
import { withPipedText } from '../pipedText.ts';
import { findSweepOrLatest } from './find.ts';
import { addSettingFlags, settingsHelp, settingValues } from '../settingFlags.ts';

interface SweepOptions extends SweepFlags {
  readonly review?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly concurrency?: string;
  readonly resume?: string;
  readonly retryFailed?: string;
  readonly yes?: boolean;
  readonly folder?: string;
}

export function sweepCommand(context: Context): Command {
  const { registry } = context.workshop;
  const methods = registry.catalog.all(searchFamily).map(({ name }) => name);
  const command = new Command('sweep')
    .description('Train every combination of settings, each with the same seeds. Any setting takes several values.')
    .argument('[file]', 'sweep file in the W&B schema, with seeds and constraints as extensions')
    .option('--recipe <name>', 'what all runs start from, and its own sweep where it has one, with flags on top')
    .option('--no-recipe-sweep', 'of the recipe its settings alone, not its sweep')
    .option('--name <text>', 'name of the sweep')
    .option('--seeds <n...>', 'seeds per setting, from the value of --seed on; several values: these seeds')
    .addOption(new Option('--method <method>', 'how combinations are chosen').choices(methods))
    .option('--run-cap <n>', 'at most so many runs, seeds counted')
    .option('--sweep-seed <n>', 'seed of the random method')
    .option(
      '--constraint <expressions...>',
      "only combinations for which this holds, for example 'model.width % model.heads == 0'",
    )
    .option('--review', 'show the plan and ask before starting')
    .option('--dry-run', 'show the plan and start nothing')
    .option('--force', 'train even when the memory does not suffice by the plan')
    .option('--concurrency <n>', 'runs at a time (default: one for each GPU, or as many as the cores carry)')
    .option('--yes', 'start the program of a sweep file without asking')
    .option('--folder <path>', 'where the program of a sweep file starts (default: here)')
    .option('--resume <sweep>', 'go on with an interrupted sweep; finished runs are not repeated')
    .option('--retry-failed <sweep>', 'as --resume, and try failed runs again')
    .action((file: string | undefined, options: SweepOptions & Record<string, unknown>) => {
      // `--seeds 3 sweep.yaml`: what comes after a list is taken for a part of it.
      const last =
        file === undefined && /\.ya?ml$/u.test(options.seeds?.at(-1) ?? '') ? options.seeds!.at(-1) : undefined;
      const seeds = last === undefined ? options.seeds : options.seeds!.slice(0, -1);
      return sweep(context, file ?? last, { ...options, ...(seeds === undefined ? {} : { seeds }) });
    });
  addSettingFlags(command, registry);
  return command.addHelpText('after', () => `\n${settingsHelp(registry, context.output, true)}`);
}

async function sweep(
  context: Context,
  file: string | undefined,
  options: SweepOptions & Record<string, unknown>,
): Promise<void> {
  requirePlugins(context);
  const together = wholeNumber('--concurrency', options.concurrency, 1);
  const again = options.resume ?? options.retryFailed;
  const given = settingValues(context.workshop.registry, options);
  if (again !== undefined) {
    if (file !== undefined || Object.keys(given).length > 0 || options.recipe !== undefined)
      throw new InputError('a sweep is resumed with its own settings; leave file, recipe and settings out');
    await resume(context, again, options.retryFailed !== undefined, together);
    return;
  }
  const values = await withPipedText(context, given);
  const { spec, yaml, places, words } = await readSweep(context, file, values, options);
  if (startsPrograms(spec)) return await startPrograms(context, { spec, yaml }, options, together);
  const plan = await makePlan(context, spec, { places });
  const { output } = context;
  const configs = plan.runs.map(({ config }) => config);
  if (options.dryRun === true) {
    const { paths, registry } = context.workshop;
    const texts = await dryRunTextWarnings(configs, { cacheDir: paths.cache, kinds: registry.catalog });
    const whole = { ...plan, warnings: [...plan.warnings, ...texts] };
    printPlan(output, whole, words);
    output.text('Nothing was started (--dry-run).');
    output.data(planJson(whole, spec));
    return;
  }
  const ready = await getReady(context, configs, {
    ...(together === undefined ? {} : { places: together, keepPlaces: true }),
    force: options.force,
    review: () => {
      if (!output.json || options.review === true) printPlan(output, plan, words);
      return options.review !== true || confirmed(output.json);
    },
  });
  if (ready === undefined) {
    output.note('Nothing was started.');
    output.data({ started: false });
    return;
  }
  using lab = await writableLab(context);
  const { id } = createSweep(lab.store, ready, { spec, plan, yaml, codeVersion: lab.codeVersion }).sweep;
  output.note(`Sweep ${id}`);
  await runSweep(context, lab, id, ready.places);
}

async function resume(context: Context, text: string, failed: boolean, together: number | undefined): Promise<void> {
  await requireDatabase(context);
  using lab = await writableLab(context);
  const { id } = findSweepOrLatest(lab.store, text);
  const count = requeueSweep(lab.store, id, failed ? ['stopped', 'failed'] : ['stopped']);
  const queued = lab.store.countRuns({ sweepId: id, state: 'queued' });
  const finished = lab.store.countRuns({ sweepId: id, state: 'finished' });
  context.output.note(
    queued === 0
      ? `Sweep ${id} has nothing left to train.`
      : `Sweep ${id}: ${plural(finished, 'run')} finished before, ${plural(queued, 'run')} to train` +
          (count > 0 ? `, ${count} of them from where they ended.` : '.'),
  );
  if (lab.store.getSweep(id)!.origin === 'program') {
    const limit = await limitFor(together);
    if (limit !== null) lab.store.updateSweep(id, { concurrencyLimit: limit });
    return await runProgramSweep(context, lab, id);
  }
  await resumeSweep(context, lab, id, together);
}

/** Shown before somebody says yes to a program of a file. */
const SHOWN = 5;

/** A sweep over a program: a file alone starts nothing, so whoever is at the terminal sees the command and is asked. */
async function startPrograms(
  context: Context,
  { spec, yaml }: Pick<ReadSweep, 'spec' | 'yaml'>,
  options: SweepOptions,
  together: number | undefined,
): Promise<void> {
  const { output } = context;
  const problems = programSweepProblems(spec);
  if (problems.length > 0) throw new InputError(problems.join('\n'));
  const folder = resolve(options.folder ?? '.');
  const runs = programRuns(spec, folder);
  if (runs.length === 0) throw new InputError('the sweep has no runs');
  const commands = runs.map(({ program }) => commandText(program!.command));
  output.note(`${plural(runs.length, 'run')} of a program, in ${folder}:`);
  for (const command of commands.slice(0, SHOWN)) output.note(`  ${command}`);
  if (commands.length > SHOWN) output.note(`  … and ${commands.length - SHOWN} more`);
  for (const line of await memoryWords(context, spec)) output.note(line);
  if (options.dryRun === true) {
    output.text('Nothing was started (--dry-run).');
    output.data({ runs: runs.map(({ name, config, program }) => ({ name, settings: config, ...program })) });
    return;
  }
  if (options.yes !== true && process.stdin.isTTY !== true)
    throw new InputError('the file starts a program, and nobody is there to be asked; look at it, then say --yes');
  if (options.yes !== true && !(await confirmed(output.json, 'Start this?'))) {
    output.note('Nothing was started.');
    output.data({ started: false });
    return;
  }
  const limit = await limitFor(together);
  using lab = await writableLab(context);
  const { sweep } = createProgramSweep(lab.store, { draft: spec, runs, yaml, limit });
  output.note(`Sweep ${sweep.id}`);
  await runProgramSweep(context, lab, sweep.id);
}

/** What earlier runs of the script needed. */
async function memoryWords(context: Context, spec: Draft): Promise<string[]> {
  using lab = await readableLab(context);
  const earlier = lab === undefined ? null : earlierMemory(lab.store, spec);
  if (earlier === null) return [];
  const { card, host, script, runs } = earlier;
  const of = (what: string, most: MeasuredMemory | null): string[] =>
    most === null ? [] : [`${formatMemory(most.bytes)} ${what} (${most.name})`];
  const parts = [...of('of a card', card), ...of('of the memory', host)];
  return [`measured in ${plural(runs, 'earlier run')} of ${script}, at most: ${parts.join(', ')}`];
}
