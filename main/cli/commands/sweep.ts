/** `sweeplab sweep`: many settings, several seeds each, from a W&B sweep file, flags, or both. */
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { isDeepStrictEqual } from 'node:util';
import { Command, Option } from 'commander';
import type { Draft } from '../../../preload/contract/draft.ts';
import type { SweepRecord } from '../../../preload/contract/runs.ts';
import type { Lab } from '../../host/lab.ts';
import { defaultConcurrency, requeue } from '../../lab/queue/queue.ts';
import { parseSweep, planSpec, sweepFromFlags, sweepToYaml } from '../../lab/sweeps/index.ts';
import type { Places, SweepPlan } from '../../lab/sweeps/index.ts';
import { readText, refuse } from '../configuration.ts';
import { requireDatabase, requirePlugins, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { checkDevices, checkMemory } from '../devices.ts';
import { InputError } from '../errors.ts';
import { plural } from '../format.ts';
import { planJson, printPlan } from '../plan.ts';
import { prepareData } from '../prepare.ts';
import { runSweep } from '../runSweep.ts';
import { findSweepOrLatest } from './find.ts';
import { addSettingFlags, settingsHelp, settingValues } from '../settingFlags.ts';

interface SweepOptions {
  readonly recipe?: string;
  readonly name?: string;
  readonly seeds?: string;
  readonly method?: string;
  readonly runCap?: string;
  readonly sweepSeed?: string;
  readonly constraint?: string[];
  readonly review?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly concurrency?: string;
  readonly resume?: string;
  readonly retryFailed?: string;
}

export function sweepCommand(context: Context): Command {
  const { registry } = context.workshop;
  const command = new Command('sweep')
    .description('Train every combination of settings, each with the same seeds. Any setting takes several values.')
    .argument('[file]', 'sweep file in the W&B schema, with seeds and constraints as extensions')
    .option('--recipe <name>', 'what all runs start from')
    .option('--name <text>', 'name of the sweep')
    .option('--seeds <n>', 'seeds per setting, from the value of --seed on')
    .addOption(new Option('--method <method>', 'how combinations are chosen').choices(['grid', 'random']))
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
    .action((file: string | undefined, options: SweepOptions & Record<string, unknown>) =>
      sweep(context, file, options),
    );
  addSettingFlags(command, registry);
  return command.addHelpText('after', () => `\n${settingsHelp(registry, context.output, true)}`);
}

async function sweep(
  context: Context,
  file: string | undefined,
  options: SweepOptions & Record<string, unknown>,
): Promise<void> {
  requirePlugins(context);
  const concurrency = wholeNumber('--concurrency', options.concurrency, 1);
  const again = options.resume ?? options.retryFailed;
  const values = settingValues(context.workshop.registry, options);
  if (again !== undefined) {
    if (file !== undefined || Object.keys(values).length > 0 || options.recipe !== undefined)
      throw new InputError('a sweep is resumed with its own settings; leave file, recipe and settings out');
    await resume(context, again, options.retryFailed !== undefined, concurrency);
    return;
  }
  const { spec, yaml, places } = await readSweep(context, file, values, options);
  const plan = await makePlan(context, spec, places);
  const { output } = context;
  if (options.dryRun === true) {
    printPlan(output, plan);
    output.text('Nothing was started (--dry-run).');
    output.data(planJson(plan, spec));
    return;
  }
  const configs = plan.runs.map(({ config }) => config);
  const threads = await checkDevices(configs);
  const together = await checkMemory(context, configs, {
    concurrency: concurrency ?? defaultConcurrency(configs.length, availableParallelism(), threads),
    force: options.force,
  });
  if (!output.json || options.review === true) printPlan(output, plan);
  if (options.review === true && !(await confirmed(output.json))) {
    output.note('Nothing was started.');
    output.data({ started: false });
    return;
  }
  await prepareData(context, configs);
  using lab = await writableLab(context);
  const { id } = createSweep(lab, plan, spec, yaml);
  output.note(`Sweep ${id}`);
  await runSweep(context, lab, id, { concurrency: concurrency ?? together });
}

interface ReadSweep {
  readonly spec: Draft;
  /** The text of the file, where nothing was changed by flags. */
  readonly yaml: string;
  readonly places?: Places;
}

/** The sweep of the file, with the flags on top: several values vary a setting, one value fixes it. */
async function readSweep(
  { workshop }: Context,
  file: string | undefined,
  values: Readonly<Record<string, readonly string[]>>,
  options: SweepOptions,
): Promise<ReadSweep> {
  const yaml = file === undefined ? '' : await readText(file, 'sweep file');
  const parsed = file === undefined ? undefined : parseSweep(yaml, file);
  refuse(parsed?.problems ?? []);
  const flags = sweepFromFlags(values, {
    registry: workshop.registry,
    base: parsed?.sweep,
    method: options.method as Draft['method'] | undefined,
    seeds: wholeNumber('--seeds', options.seeds, 1),
    runCap: wholeNumber('--run-cap', options.runCap, 1),
    sweepSeed: wholeNumber('--sweep-seed', options.sweepSeed, 0),
    recipe: options.recipe,
    constraints: options.constraint,
    name: options.name,
  });
  refuse(flags.problems);
  const same = parsed?.sweep === undefined || isDeepStrictEqual(flags.sweep, parsed.sweep);
  return { spec: flags.sweep, yaml: same ? yaml : sweepToYaml(flags.sweep), places: parsed?.places };
}

/** @throws InputError when nothing may start */
export async function makePlan({ workshop }: Context, spec: Draft, places?: Places): Promise<SweepPlan> {
  const plan = await planSpec(workshop.registry, spec, places);
  refuse(plan.problems);
  return plan;
}

/** Creates the sweep with all of its runs, queued. */
export function createSweep(lab: Lab, plan: SweepPlan, spec: Draft, yaml: string): SweepRecord {
  const { settings, dropped, duplicates, combinations, seeds, warnings } = plan;
  return lab.store.createSweep(
    {
      name: spec.name || defaultName(spec),
      spec,
      yaml,
      plan: { settings, dropped, duplicates, combinations, seeds, warnings },
    },
    plan.runs.map((run) => ({ ...run, codeVersion: lab.codeVersion })),
  ).sweep;
}

/** `depth × width`, from what is varied. */
function defaultName({ parameters, recipe }: Draft): string {
  const varied = Object.entries(parameters)
    .filter(([, { value }]) => value === undefined)
    .map(([name]) => name.slice(name.lastIndexOf('.') + 1));
  return [recipe ?? '', varied.join(' × ') || 'seeds'].filter(Boolean).join(': ');
}

async function resume(context: Context, text: string, failed: boolean, concurrency: number | undefined): Promise<void> {
  await requireDatabase(context);
  using lab = await writableLab(context);
  const { id } = findSweepOrLatest(lab.store, text);
  const count = requeue(lab.store, { sweepId: id }, failed ? ['stopped', 'failed'] : ['stopped']);
  const queued = lab.store.countRuns({ sweepId: id, state: 'queued' });
  const finished = lab.store.countRuns({ sweepId: id, state: 'finished' });
  context.output.note(
    queued === 0
      ? `Sweep ${id} has nothing left to train.`
      : `Sweep ${id}: ${plural(finished, 'run')} finished before, ${plural(queued, 'run')} to train` +
          (count > 0 ? `, ${count} of them from where they ended.` : '.'),
  );
  await runSweep(context, lab, id, { concurrency });
}

/** @throws InputError unless it is an integer at least `min` */
export function wholeNumber(flag: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  const nearest = Number.isFinite(value) ? Math.max(min, Math.round(value)) : min;
  throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: an integer at least ${min}; nearest: ${nearest}`);
}

/** Asks until the answer is y or n. Without somebody to answer (end of input), the answer is n. */
async function confirmed(json: boolean): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: json ? process.stderr : process.stdout });
  try {
    const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
    for (;;) {
      const answer = await Promise.race([lines.question('Proceed? [y/n] '), ended]);
      if (answer === undefined) return false;
      if (/^y(es)?$/iu.test(answer.trim())) return true;
      if (/^n(o)?$/iu.test(answer.trim())) return false;
    }
  } finally {
    lines.close();
  }
}
