/** `sweeplab check`: the group, and `check coordinates`: whether activations stay as large while a model grows wider. */
import { Command } from 'commander';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { checkCoordinates } from '../../lab/coordinates/coordinates.ts';
import type { CheckedSize, LayerCoordinates } from '../../lab/coordinates/coordinates.ts';
import { coordinatesCsv, coordinatesSvg } from '../../lab/coordinates/files.ts';
import type { PlannedRun } from '../../lab/sweeps/planned.ts';
import { requirePlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { bar } from '../format.ts';
import { commandGroup } from '../group.ts';
import { wholeNumber } from '../numbers.ts';
import type { Output } from '../output.ts';
import { Ticker } from '../progress/ticker.ts';
import { makePlan, readSweep } from '../readSweep.ts';
import { frontierCommand, noiseCommand, preflightCommand } from './checkBatches.ts';
import { writerOf } from './checkFile.ts';
import { metricAuditCommand } from './checkMetrics.ts';
import { overfitCommand, rateRangeCommand } from './checkProbes.ts';
import { addSettingFlags, settingsHelp, settingValues } from '../settingFlags.ts';
import { renderTable } from '../table.ts';

interface CoordinateFlags {
  readonly recipe?: string;
  readonly steps: string;
  readonly seeds?: string[];
  readonly out?: string;
}

type Flags = CoordinateFlags & Record<string, unknown>;

/** A slope within this of 0 is called flat. */
const FLAT = 0.1;

export function checkCommand(context: Context): Command {
  const { registry } = context.workshop;
  const group = commandGroup('check', 'Checks of a model that need no whole run.');
  const coordinates = new Command('coordinates')
    .description(
      'Train each size for a few steps and compare how large activations are: a good parametrization keeps them flat.',
    )
    .option('--recipe <name>', 'start from a recipe, or from a .yaml file of your own')
    .option('--steps <n>', 'updates, at the peak learning rate from the first on', '5')
    .option('--seeds <seeds...>', 'how many seeds, or which; means are shown (default: one)')
    .option('--out <file>', 'also write the numbers (.csv) or a picture (.svg)')
    .action((flags: Flags) => coordinateCheck(context, flags));
  addSettingFlags(coordinates, registry);
  coordinates.addHelpText(
    'after',
    () =>
      '\nGive one setting several values, usually the width:\n' +
      '  sweeplab check coordinates --recipe mup-width-small --model.width 128 256 512 --optimizer.lr 0.001 \\\n' +
      '    --model.context 8 --batch.sequences 2 --seeds 6\n' +
      'Few tokens, a small rate and several seeds: slopes are flat where models are wider than a batch has tokens.\n\n' +
      settingsHelp(registry, context.output, true),
  );
  return group
    .addCommand(overfitCommand(context))
    .addCommand(rateRangeCommand(context))
    .addCommand(frontierCommand(context))
    .addCommand(noiseCommand(context))
    .addCommand(preflightCommand(context))
    .addCommand(coordinates)
    .addCommand(metricAuditCommand(context));
}

async function coordinateCheck(context: Context, flags: Flags): Promise<void> {
  requirePlugins(context);
  const { output, workshop } = context;
  const write = writerOf(context, flags.out, { '.csv': coordinatesCsv, '.svg': coordinatesSvg });
  const steps = wholeNumber('--steps', flags.steps, 1)!;
  const values = settingValues(workshop.registry, flags);
  const { spec, places } = await readSweep(context, undefined, values, { recipe: flags.recipe, seeds: flags.seeds });
  const plan = await makePlan(context, spec, { places });
  for (const warning of plan.warnings) output.said(warning);
  const { setting, sizes } = sizesOf(plan.runs, values);
  let line = '';
  let interrupted = false;
  const stop = (): void => {
    interrupted = true;
  };
  process.once('SIGINT', stop);
  const layers = await (async () => {
    using _ = new Ticker(
      output,
      () => line,
      () => line,
    );
    try {
      return await checkCoordinates({
        sizes,
        steps,
        kinds: workshop.registry.catalog,
        cache: workshop.paths.cache,
        onProgress: (what, share) => {
          line = `${share === undefined ? '' : `${bar(share, 20)}  `}${what}`;
          return !interrupted;
        },
      });
    } finally {
      process.off('SIGINT', stop);
    }
  })();
  if (layers === undefined) return context.exit(130);
  const numbers = sizes.map(({ size }) => size);
  output.data({ setting, sizes: numbers, steps, seeds: plan.seeds, layers });
  print(output, setting, numbers, layers);
  await write?.(setting, numbers, layers);
}

/** The one setting that grows, and the configurations of each of its values. @throws InputError */
function sizesOf(
  runs: readonly PlannedRun[],
  values: Readonly<Record<string, readonly string[]>>,
): { readonly setting: string; readonly sizes: readonly CheckedSize[] } {
  const several = Object.keys(values).filter((name) => values[name].length > 1);
  const allowed = 'exactly one setting with several numbers, such as --model.width 64 128 256 512';
  if (several.length !== 1)
    throw new InputError(
      `${several.length === 0 ? 'nothing grows' : `${several.join(' and ')} grow`}; allowed: ${allowed}`,
    );
  const [setting] = several;
  const bySize = Map.groupBy(runs, ({ config }): SettingValue => config[setting]);
  const sizes = [...bySize].map(([size, own]): CheckedSize => ({
    size: Number(size),
    configs: own.map(({ config }) => config),
  }));
  if (!sizes.every(({ size }) => size > 0))
    throw new InputError(`${setting} is ${values[setting].join(', ')}; allowed: ${allowed}`);
  if (sizes.length < 2) throw new InputError(`${setting} has one value that is possible; allowed: ${allowed}`);
  return { setting, sizes: sizes.toSorted((a, b) => a.size - b.size) };
}

const BARS = '▁▂▃▄▅▆▇█';

/** The numbers of a layer as bars, on one logarithmic scale for all sizes. Zeros have none. */
function barsOf(values: readonly number[], low: number, high: number): string {
  // A scale of less than a tenfold would make bars of differences that do not matter.
  const middle = (low + high) / 2;
  const half = Math.max(high - low, Math.LN10) / 2;
  const at = (value: number) => Math.round(((Math.log(value) - middle + half) / (2 * half)) * (BARS.length - 1));
  return values.map((value) => (value > 0 ? BARS[Math.min(BARS.length - 1, Math.max(0, at(value)))] : ' ')).join('');
}

function print(output: Output, setting: string, sizes: readonly number[], layers: readonly LayerCoordinates[]): void {
  const rows = layers.map(({ layer, means, slopes }) => {
    const logs = means
      .flat()
      .filter((value) => value > 0)
      .map(Math.log);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    const cells = means.map((steps) => `${barsOf(steps, low, high)} ${steps.at(-1)!.toPrecision(3)}`);
    const slope = slopes.at(-1)!;
    const text = Number.isFinite(slope) ? `${slope < 0 ? '−' : '+'}${Math.abs(slope).toFixed(2)}` : '–';
    return [layer, ...cells, slope > FLAT ? output.style('yellow', text) : text];
  });
  output.text(
    renderTable(
      output,
      [
        { title: 'layer' },
        ...sizes.map((size) => ({ title: `${setting} ${size}` })),
        { title: 'slope', align: 'right' },
      ],
      rows,
    ),
  );
  const growing = layers.filter(({ slopes }) => slopes.at(-1)! > FLAT);
  output.text('');
  output.text(
    'Bars: mean |activation| before the first step and after each, the number after the last; slope: of log size over log ' +
      `${setting} after the last step, 0 where it does not matter.`,
  );
  output.text(
    growing.length === 0
      ? `Nothing grows with ${setting}.`
      : `${growing.length} of ${layers.length} grow with ${setting} (slope above ${FLAT}): ${growing.map(({ layer }) => layer).join(', ')}.`,
  );
}
