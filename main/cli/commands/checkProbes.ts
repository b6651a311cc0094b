/** `sweeplab check overfit` and `sweeplab check lr-range`: short trainings before a long one. */
import { Command } from 'commander';
import type { Config } from '../../../preload/contract/settings.ts';
import { csvTable } from '../../../preload/shared/csv.ts';
import { checkRates, rateWords } from '../../lab/probes/lrRange.ts';
import type { RateRange } from '../../lab/probes/lrRange.ts';
import { checkOverfit, overfitWords } from '../../lab/probes/overfit.ts';
import type { ProbeRequest } from '../../lab/probes/prepare.ts';
import { configure } from '../configuration.ts';
import { requirePlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { bar } from '../format.ts';
import { positiveNumber, wholeNumber } from '../numbers.ts';
import type { Output } from '../output.ts';
import { Ticker } from '../progress/ticker.ts';
import { addSettingFlags, settingsHelp, settingValues, singleValues } from '../settingFlags.ts';
import { renderTable } from '../table.ts';
import { writerOf } from './checkFile.ts';

interface ProbeFlags {
  readonly recipe?: string;
  readonly steps: string;
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
}

type Flags = ProbeFlags & Record<string, unknown>;
/** What a command line says of settings. */
type SettingsFrom = { readonly recipe?: string } & Record<string, unknown>;

/** @param steps how many are made unless said otherwise; without it there is no such choice */
export function probeCommand(context: Context, name: string, description: string, steps?: string): Command {
  const made = new Command(name)
    .description(description)
    .argument('[config]', 'YAML file with settings')
    .option('--recipe <name>', 'start from a recipe, or from a .yaml file of your own');
  if (steps !== undefined) made.option('--steps <n>', 'most updates', steps);
  addSettingFlags(made, context.workshop.registry);
  return made.addHelpText('after', () => `\n${settingsHelp(context.workshop.registry, context.output, false)}`);
}

export function overfitCommand(context: Context): Command {
  return probeCommand(
    context,
    'overfit',
    'Train on one batch until it is known by heart, or say what hinders it. No dropout, no weight decay, no schedule.',
    '500',
  ).action((file: string | undefined, flags: Flags) => overfit(context, file, flags));
}

export function rateRangeCommand(context: Context): Command {
  return probeCommand(
    context,
    'lr-range',
    'Let the learning rate grow in one short run, and suggest where to look for the best.',
    '100',
  )
    .option('--from <rate>', 'first rate', '1e-5')
    .option('--to <rate>', 'last rate', '1')
    .option('--out <file.csv>', 'also write the numbers')
    .action((file: string | undefined, flags: Flags) => rateRange(context, file, flags));
}

export async function settingsOf(context: Context, file: string | undefined, flags: SettingsFrom): Promise<Config> {
  requirePlugins(context);
  const overrides = singleValues(settingValues(context.workshop.registry, flags));
  const { config, warnings } = await configure(context, { recipe: flags.recipe, file, overrides });
  for (const warning of warnings) context.output.said(warning);
  return config;
}

/** Runs a probe under a line that says how far it is; undefined when Ctrl-C ended it. */
export async function watched<T>(
  context: Context,
  config: Config,
  steps: number,
  run: (request: ProbeRequest) => Promise<T>,
): Promise<T> {
  const { output, workshop } = context;
  let line = '';
  let interrupted = false;
  const stop = (): void => {
    interrupted = true;
  };
  process.once('SIGINT', stop);
  using _ = new Ticker(
    output,
    () => line,
    () => line,
  );
  try {
    return await run({
      config,
      kinds: workshop.registry.catalog,
      cache: workshop.paths.cache,
      steps,
      onProgress: (what, share) => {
        line = `${share === undefined ? '' : `${bar(share, 20)}  `}${what}`;
        return !interrupted;
      },
    });
  } finally {
    process.off('SIGINT', stop);
  }
}

async function overfit(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  const steps = wholeNumber('--steps', flags.steps, 1)!;
  const config = await settingsOf(context, file, flags);
  const found = await watched(context, config, steps, checkOverfit);
  if (found === undefined) return context.exit(130);
  context.output.data(found);
  for (const line of overfitWords(found, 'terminal')) context.output.text(line);
  if (found.hindered !== undefined) context.exit(EXIT.failed);
}

async function rateRange(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  const steps = wholeNumber('--steps', flags.steps, 10)!;
  const [from, to] = [positiveNumber('--from', flags.from!), positiveNumber('--to', flags.to!)];
  if (from >= to)
    throw new InputError(`--from is ${flags.from}; allowed: a rate below --to (${flags.to}); nearest: ${to / 1000}`);
  const write = writerOf(context, flags.out, { '.csv': ratesCsv });
  const config = await settingsOf(context, file, flags);
  const found = await watched(context, config, steps, (request) => checkRates({ ...request, from, to }));
  if (found === undefined) return context.exit(130);
  context.output.data(found);
  printRates(context.output, found, to);
  await write?.(found);
}

const ratesCsv = ({ points }: RateRange): string =>
  csvTable(
    ['optimizer.lr', 'loss', 'smooth'],
    points.map(({ lr, loss, smooth }) => [lr, loss, smooth]),
  );

/** Lines of the printed table. */
const LINES = 20;

function printRates(output: Output, found: RateRange, to: number): void {
  const { points } = found;
  const every = Math.max(1, Math.ceil(points.length / LINES));
  const shown = points.filter((_, i) => i % every === 0 || i === points.length - 1);
  const finite = points.map(({ smooth }) => smooth).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const rows = shown.map(({ lr, loss, smooth }) => [
    lr.toExponential(1),
    loss.toFixed(3),
    smooth.toFixed(3),
    Number.isFinite(smooth) ? bar(high > low ? (smooth - low) / (high - low) : 0, 24) : '',
  ]);
  const titles = ['optimizer.lr', 'loss', 'smooth'].map((title) => ({ title, align: 'right' as const }));
  output.text(renderTable(output, [...titles, { title: '' }], rows));
  output.text('');
  for (const line of rateWords(found, to, 'terminal')) output.text(line);
}
