/** `sweeplab train`: one run. */
import { Command } from 'commander';
import type { Config, Warning } from '../../../preload/contract/settings.ts';
import { located } from '../../../preload/shared/settings/values.ts';
import { dryRunTextWarnings } from '../../lab/fit/index.ts';
import { requeueRun } from '../../lab/queue/resume.ts';
import { settingKey } from '../../lab/sweeps/index.ts';
import { configure } from '../configuration.ts';
import type { Configuration } from '../configuration.ts';
import { requireDatabase, requirePlugins, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { getReady } from '../launch.ts';
import { withPipedText } from '../pipedText.ts';
import { trainQueued } from '../runOne.ts';
import { addSettingFlags, settingsHelp, settingValues, singleValues } from '../settingFlags.ts';
import { plural } from '../format.ts';

interface TrainOptions {
  readonly recipe?: string;
  readonly name?: string;
  readonly tag?: string[];
  readonly note?: string;
  readonly resume?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export function trainCommand(context: Context): Command {
  const { registry } = context.workshop;
  const command = new Command('train')
    .description('Train one model. Settings: recipe, then config file, then flags; the later one wins.')
    .argument('[config]', 'YAML file with settings')
    .option(
      '--recipe <name>',
      'start from a recipe (see sweeplab data list --recipes), or from a .yaml file of your own',
    )
    .option('--name <text>', 'name of the run')
    .option('--tag <tags...>', 'tags of the run')
    .option('--note <text>', 'note of the run')
    .option('--resume <run>', 'continue a stopped or interrupted run from its last checkpoint')
    .option('--force', 'train even when the memory does not suffice by the plan')
    .option('--dry-run', 'check everything and print the settings; train nothing')
    .action((config: string | undefined, options: TrainOptions & Record<string, unknown>) =>
      train(context, config, options),
    );
  addSettingFlags(command, registry);
  return command.addHelpText('after', () => `\n${settingsHelp(registry, context.output, false)}`);
}

async function train(
  context: Context,
  file: string | undefined,
  options: TrainOptions & Record<string, unknown>,
): Promise<void> {
  requirePlugins(context);
  const { output, workshop } = context;
  const values = settingValues(workshop.registry, options);
  if (options.resume !== undefined) {
    if (file !== undefined || Object.keys(values).length > 0 || options.recipe !== undefined)
      throw new InputError('--resume continues a run with its own settings; leave recipe, file and settings out');
    await resume(context, options.resume);
    return;
  }
  if (file !== undefined && !/\.ya?ml$/u.test(file))
    throw new InputError(`"${file}" is not a config file (.yaml); several values of a setting need: sweeplab sweep`);
  const overrides = singleValues(await withPipedText(context, values));
  const configuration = await configure(context, { recipe: options.recipe, file, overrides });
  for (const warning of configuration.warnings) output.said({ ...warning, message: located(warning) });
  if (options.dryRun === true) {
    const { paths, registry } = workshop;
    const where = { cacheDir: paths.cache, kinds: registry.catalog };
    const texts = await dryRunTextWarnings([configuration.config], where);
    for (const { message } of texts) output.warn(message);
    printSettings(context, { ...configuration, warnings: [...configuration.warnings, ...texts] });
    return;
  }
  const { config } = configuration;
  await getReady(context, [config], { places: 1, force: options.force });
  using lab = await writableLab(context);
  const varied = Object.fromEntries(
    configuration.changed.filter((name) => name !== 'seed').map((name) => [name, config[name]]),
  );
  const run = lab.store.createRun({
    name: options.name ?? defaultName(options.recipe, file, Object.keys(overrides), config),
    config,
    seed: config.seed as number,
    settingKey: settingKey(varied),
    tags: options.tag,
    note: options.note,
    codeVersion: lab.codeVersion,
  });
  await trainQueued(context, lab, run.id);
}

async function resume(context: Context, text: string): Promise<void> {
  await requireDatabase(context);
  using lab = await writableLab(context);
  const run = lab.store.resolveRun(text);
  if (run.state === 'finished')
    throw new InputError(`run ${run.id} is finished (${run.endReason}); there is nothing to resume`);
  if (run.origin === 'program')
    throw new InputError(`run ${run.id} is one of a program; go on with it by: sweeplab run --resume ${run.id}`);
  const why = run.state === 'queued' ? undefined : requeueRun(lab.store, run);
  if (why !== undefined) throw new InputError(why);
  await getReady(context, [run.config], { places: 1, force: true });
  await trainQueued(context, lab, run.id);
}

type Planned = Omit<Configuration, 'warnings'> & { readonly warnings: readonly Warning[] };

function printSettings({ output, workshop }: Context, { config, changed, derived, warnings }: Planned): void {
  output.data({ settings: config, changed, derived, warnings });
  output.text(
    `${plural(changed.length, 'setting differs from its default', 'settings differ from their defaults')}; nothing was started:`,
  );
  for (const name of workshop.registry.names) {
    if (!changed.includes(name)) continue;
    const follows = Object.hasOwn(derived, name) ? `  (follows: ${derived[name]})` : '';
    output.text(`  ${name}: ${JSON.stringify(config[name])}${follows}`);
  }
}

/** `quick depth=4 lr=0.001`: the recipe or file, and what was set on the command line. */
function defaultName(
  recipe: string | undefined,
  file: string | undefined,
  given: readonly string[],
  config: Config,
): string {
  const stem = (path: string): string => path.replace(/^.*[/\\]/u, '').replace(/\.ya?ml$/u, '');
  const base = file !== undefined ? stem(file) : recipe !== undefined ? stem(recipe) : 'run';
  // How long and how closely it is watched says little about what a run is.
  const telling = given.filter((name) => !/^(stop|eval|log)\.|^device$/u.test(name));
  const set = telling.map((name) => `${name.slice(name.lastIndexOf('.') + 1)}=${config[name]}`);
  return [base, ...set.slice(0, 4)].join(' ').slice(0, 80);
}
