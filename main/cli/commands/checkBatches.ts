/** `sweeplab check batch-frontier`, `noise-scale` and `preflight`: how large batches may and should be, and whether a long run would get anywhere. */
import type { Command } from 'commander';
import { checkFrontier, frontierCsv, frontierSvg, frontierWords } from '../../lab/probes/frontier.ts';
import type { Frontier } from '../../lab/probes/frontier.ts';
import { checkNoise, NoiseError, noiseWords } from '../../lab/probes/noiseScale.ts';
import { checkPreflight, preflightWords } from '../../lab/probes/preflight.ts';
import { deviceFor, gibibytes, NoDeviceError } from '../../lab/fit/index.ts';
import { csvTable } from '../../../preload/shared/csv.ts';
import type { Context } from '../context.ts';
import { EXIT, InputError } from '../errors.ts';
import { formatCount } from '../format.ts';
import { positiveNumber, wholeNumber } from '../numbers.ts';
import type { Output } from '../output.ts';
import { renderTable } from '../table.ts';
import { writerOf } from './checkFile.ts';
import { probeCommand, settingsOf, watched } from './checkProbes.ts';

interface BatchFlags {
  readonly recipe?: string;
  readonly steps: string;
  readonly longest?: string;
  readonly out?: string;
}
type Flags = BatchFlags & Record<string, unknown>;

export function frontierCommand(context: Context): Command {
  return probeCommand(
    context,
    'batch-frontier',
    'Measure pace and memory of micro-batches, up to the largest that fits: found by planning, verified by running.',
    '3',
  )
    .option('--longest <seconds>', 'no size whose step would take longer', '20')
    .option('--out <file>', 'also write the numbers (.csv, .json) or a picture (.svg)')
    .action((file: string | undefined, flags: Flags) => frontier(context, file, flags));
}

export function noiseCommand(context: Context): Command {
  return probeCommand(
    context,
    'noise-scale',
    'Estimate the critical batch from the noise of the gradient in a short training.',
    '100',
  )
    .option('--out <file.csv>', 'also write the numbers')
    .action((file: string | undefined, flags: Flags) => noise(context, file, flags));
}

export function preflightCommand(context: Context): Command {
  return probeCommand(
    context,
    'preflight',
    'Rehearse a run: two steps, an evaluation and a checkpoint. Runs planned over 10 minutes begin with it by themselves (--preflight).',
  ).action((file: string | undefined, flags: Flags) => preflight(context, file, flags));
}

async function frontier(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  const steps = wholeNumber('--steps', flags.steps, 1)!;
  const longest = positiveNumber('--longest', flags.longest!);
  const write = writerOf<[Frontier]>(context, flags.out, {
    '.csv': frontierCsv,
    '.json': (found) => `${JSON.stringify(found, null, 2)}\n`,
    '.svg': frontierSvg,
  });
  const config = await settingsOf(context, file, flags);
  const device = await deviceFor(config).catch((error: unknown) => {
    throw error instanceof NoDeviceError ? new InputError(error.message) : error;
  });
  const found = await watched(context, config, steps, (request) =>
    checkFrontier({ ...request, kinds: context.workshop.registry.catalog, device, longest }),
  );
  if (found === undefined) return context.exit(130);
  context.output.data(found);
  printFrontier(context.output, found);
  await write?.(found);
  if (found.largest === null) context.exit(EXIT.failed);
}

function printFrontier(output: Output, found: Frontier): void {
  const titles = ['micro-batch', 'tokens/s', 'step', 'planned', 'state + temporaries', 'taken'];
  const rows = found.points.map((each) => [
    String(each.micro),
    formatCount(each.tokensPerSecond),
    `${each.seconds.toPrecision(3)} s`,
    gibibytes(each.plannedBytes),
    gibibytes(each.arenaBytes),
    gibibytes(each.takenBytes),
  ]);
  if (rows.length > 0)
    output.text(
      renderTable(
        output,
        titles.map((title) => ({ title, align: 'right' as const })),
        rows,
      ),
    );
  for (const line of frontierWords(found, 'terminal')) output.text(line);
}

async function noise(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  const steps = wholeNumber('--steps', flags.steps, 10)!;
  const write = writerOf<[NonNullable<Awaited<ReturnType<typeof checkNoise>>>]>(context, flags.out, {
    '.csv': ({ points }) =>
      csvTable(
        ['step', 'loss', 'gradient_noise_trace', 'gradient_noise_squared'],
        points.map(({ step, loss, trace, squared }) => [step, loss, trace, squared]),
      ),
  });
  const config = await settingsOf(context, file, flags);
  const found = await watched(context, config, steps, checkNoise).catch((error: unknown) => {
    throw error instanceof NoiseError ? new InputError(error.message) : error;
  });
  if (found === undefined) return context.exit(130);
  context.output.data(found);
  for (const line of noiseWords(found, 'terminal')) context.output.text(line);
  await write?.(found);
  if (found.scale === undefined) context.exit(EXIT.failed);
}

async function preflight(context: Context, file: string | undefined, flags: Flags): Promise<void> {
  const config = await settingsOf(context, file, flags);
  const found = await watched(context, config, 2, checkPreflight);
  if (found === undefined) return context.exit(130);
  context.output.data(found);
  for (const line of preflightWords(found)) context.output.text(line);
  if (found.problem !== undefined) context.exit(EXIT.failed);
}
