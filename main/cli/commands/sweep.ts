/** `sweeplab sweep`: many settings, several seeds each, from a W&B sweep file, flags, or both. */
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { dryRunTextWarnings } from '../../lab/fit/index.ts';
import { createSweep } from '../../lab/launch.ts';
import { requeueSweep } from '../../lab/queue/resume.ts';
import { searchFamily } from '../../lab/search/index.ts';
import { requireDatabase, requirePlugins, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { plural } from '../format.ts';
import { getReady } from '../launch.ts';
import { wholeNumber } from '../numbers.ts';
import { planJson, printPlan } from '../plan.ts';
import { makePlan, readSweep } from '../readSweep.ts';
import type { SweepFlags } from '../readSweep.ts';
import { resumeSweep, runSweep } from '../runSweep.ts';
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
    .option('--concurrency <n>', 'runs at a time (default: as many as the cores carry)')
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
  const plan = await makePlan(context, spec, places);
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
  await resumeSweep(context, lab, id, together);
}

/** Asks until the answer is y or n. Without somebody to answer (end of input), the answer is n. */
async function confirmed(json: boolean): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: json ? process.stderr : process.stdout });
  // A pipe may bring all of its lines, and its end, before the first of them is looked at.
  let ended = false;
  lines.once('close', () => (ended = true));
  try {
    lines.setPrompt('Proceed? [y/n] ');
    lines.prompt();
    for await (const answer of lines) {
      if (/^y(es)?$/iu.test(answer.trim())) return true;
      if (/^n(o)?$/iu.test(answer.trim())) return false;
      if (!ended) lines.prompt();
    }
    return false;
  } finally {
    lines.close();
  }
}
