/** `sweeplab fit`: does it fit, where do the bytes go, what would help, how long will it take. */
import { Command } from 'commander';
import {
  deviceFor,
  fastestFor,
  fitReport,
  fitSweep,
  measureTexts,
  NoDeviceError,
  samplesFrom,
  speedsIn,
  UnknownGpuError,
} from '../../lab/fit/index.ts';
import type { FindSamples, FitDevice, FitOptions, Prices } from '../../lab/fit/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { located } from '../../../preload/shared/settings/values.ts';
import { configsOf } from '../../lab/sweeps/index.ts';
import type { Lab } from '../../host/lab.ts';
import { configure } from '../configuration.ts';
import { readableLab, requirePlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { printFit, printSweepFit } from '../fitText.ts';
import { withPipedText } from '../pipedText.ts';
import { addSettingFlags, settingsHelp, settingValues, singleValues } from '../settingFlags.ts';
import { makePlan, readSweep } from '../readSweep.ts';

interface FitFlags {
  readonly recipe?: string;
  readonly sweep?: string;
  readonly gpu?: string;
  readonly price?: string;
  readonly kilowatts?: string;
  readonly tariff?: string;
}

type Flags = FitFlags & Record<string, unknown>;

export function fitCommand(context: Context): Command {
  const { registry } = context.workshop;
  const command = new Command('fit')
    .description('Check that a run or a sweep fits into memory, and how long it will take. Trains nothing.')
    .argument('[config]', 'YAML file with settings')
    .option('--recipe <name>', 'start from a recipe, or from a .yaml file of your own')
    .option('--sweep <file>', 'check every setting of a sweep file')
    .option('--gpu <name>', 'ask for a card that need not be here, for example "RTX 4090"')
    .option('--price <x>', 'price of an hour, for the cost')
    .option('--kilowatts <x>', 'power drawn while training, for the cost; with --tariff')
    .option('--tariff <x>', 'price of a kWh')
    .action((file: string | undefined, options: Flags) => fit(context, file, options));
  addSettingFlags(command, registry);
  return command.addHelpText(
    'after',
    () =>
      `\n--device chooses the executor to check (default: the one that training would take here). Several values of a setting check a\n` +
      `sweep. Exit codes: 0 fits or tight, 1 does not fit, 2 bad input.\n\n${settingsHelp(registry, context.output, true)}`,
  );
}

async function fit(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  requirePlugins(context);
  const { output, workshop } = context;
  const prices = readPrices(flags);
  const values = await withPipedText(context, settingValues(workshop.registry, flags));
  const { catalog } = workshop.registry;
  const texts = { cacheDir: workshop.paths.cache, kinds: catalog };
  using lab = await readableLab(context);
  const common: FitOptions = { prices, catalog, ...(lab === undefined ? {} : { samples: earlierRuns(lab) }) };
  const named = flags.gpu === undefined ? undefined : await chosenDevice({}, flags.gpu);
  const fastest = named === undefined ? undefined : fastestFor(named);
  const severalValues = Object.values(values).some((list) => list.length > 1);
  if (flags.sweep !== undefined || severalValues) {
    if (file !== undefined)
      throw new InputError(`"${file}" is a config file; for a sweep give a recipe, and --sweep with its file`);
    const { spec, places } = await readSweep(context, flags.sweep, values, { recipe: flags.recipe });
    const plan = await makePlan(context, spec, { places, fastest });
    for (const warning of plan.warnings) output.said(warning);
    const settings = configsOf(plan);
    await measureTexts(
      settings.map((each) => each.config),
      texts,
    );
    const device = named ?? (await chosenDevice(settings[0]!.config));
    const report = fitSweep(settings, device, common);
    output.data({ ...report, dropped: plan.dropped.length });
    printSweepFit(output, report);
    if (report.counts['does not fit'] > 0) context.exit(EXIT.failed);
    return;
  }
  const layers = { recipe: flags.recipe, file, overrides: singleValues(values) };
  const { config, warnings } = await configure(context, layers, fastest);
  for (const warning of warnings) output.said({ ...warning, message: located(warning) });
  const device = named ?? (await chosenDevice(config));
  await measureTexts([config], texts);
  const report = fitReport(config, device, common);
  output.data(report);
  printFit(output, report);
  if (report.verdict.fit === 'does not fit') context.exit(EXIT.failed);
}

async function chosenDevice(config: Config, gpu?: string): Promise<FitDevice> {
  try {
    return await deviceFor(config, gpu === undefined ? {} : { gpu });
  } catch (error) {
    if (error instanceof UnknownGpuError || error instanceof NoDeviceError) throw new InputError(error.message);
    throw error;
  }
}

/** Runs of the lab that tell how fast a device is. */
function earlierRuns({ store, registry }: Lab): FindSamples {
  return samplesFrom(() => store.listRuns({ state: ['finished', 'stopped'] }), speedsIn(store), registry.catalog);
}

function readPrices(flags: FitFlags): Prices {
  const pricePerHour = positive('--price', flags.price);
  const kilowatts = positive('--kilowatts', flags.kilowatts);
  const tariff = positive('--tariff', flags.tariff);
  if ((kilowatts === undefined) !== (tariff === undefined))
    throw new InputError(
      `${kilowatts === undefined ? '--tariff' : '--kilowatts'} is given alone; the cost of power needs both --kilowatts and --tariff`,
    );
  return { pricePerHour, kilowatts, tariff };
}

/** @throws InputError unless it is a number above 0 */
function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: a number above 0`);
}
