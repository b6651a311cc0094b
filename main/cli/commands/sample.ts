/** `sweeplab sample`: text from a trained model. */
import { Command, Option } from 'commander';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Lab } from '../../host/lab.ts';
import { sampleRun } from '../../lab/sampling/sampling.ts';
import { existingLab, requirePlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { findSweepOrLatest } from './find.ts';
import { wholeNumber } from '../numbers.ts';

interface SampleOptions {
  readonly sweep?: string;
  readonly prompt: string;
  readonly tokens: string;
  readonly temperature: string;
  readonly topK: string;
  readonly topP: string;
  readonly seed: string;
  readonly count: string;
  readonly checkpoint?: 'best' | 'last';
  readonly whole?: boolean;
}

export function sampleCommand(context: Context): Command {
  return new Command('sample')
    .description('Write text with a trained model: a run, or the best run of a sweep.')
    .argument('[run]', 'id, beginning of an id, or name of a run; without it the latest finished run')
    .option('--sweep <sweep>', 'take the best run of this sweep (or `latest`)')
    .option('--prompt <text>', 'text to continue; empty begins a document', '')
    .option('--tokens <n>', 'most tokens per text', '200')
    .option('--temperature <x>', '0 always takes the most likely token', '0.8')
    .option('--top-k <n>', 'only the k most likely tokens; 0 takes all', '0')
    .option('--top-p <x>', 'only the most likely tokens that together have this probability', '1')
    .option('--seed <n>', 'the same seed writes the same text', '1')
    .option('--count <n>', 'texts', '1')
    .addOption(new Option('--checkpoint <kind>', 'which weights (default: best)').choices(['best', 'last']))
    .option('--whole', 'stop where the model ends the document')
    .action((run: string | undefined, options: SampleOptions) => sample(context, run, options));
}

async function sample(context: Context, text: string | undefined, options: SampleOptions): Promise<void> {
  requirePlugins(context);
  const { output, workshop } = context;
  const request = {
    prompt: options.prompt,
    tokens: wholeNumber('--tokens', options.tokens, 1)!,
    temperature: realNumber('--temperature', options.temperature, 0, Infinity),
    topK: wholeNumber('--top-k', options.topK, 0)!,
    topP: realNumber('--top-p', options.topP, 0, 1),
    seed: wholeNumber('--seed', options.seed, 0)!,
    count: wholeNumber('--count', options.count, 1)!,
    checkpoint: options.checkpoint,
    stopAtEnd: options.whole === true,
  };
  using lab = await existingLab(context);
  const run = chooseRun(lab, text, options.sweep);
  output.note(output.style('dim', `${run.name} (${run.id})`));
  const samples = await sampleRun(run, request, {
    store: lab.store,
    cache: workshop.paths.cache,
    plugins: workshop.plugins.map(({ file }) => file),
    onSample: (made, index) => output.text(index === 0 ? made.text : `\n---\n${made.text}`),
  });
  output.data({ run: run.id, prompt: request.prompt, seed: request.seed, samples });
}

/** @throws InputError when there is nothing to choose from */
function chooseRun({ store }: Lab, text: string | undefined, sweepText: string | undefined): RunRecord {
  if (text !== undefined && sweepText !== undefined) throw new InputError('name a run or --sweep, not both');
  if (text !== undefined) return store.resolveRun(text);
  const sweep = sweepText === undefined ? undefined : findSweepOrLatest(store, sweepText);
  const order = sweep === undefined ? { field: 'createdAt', descending: true } : { field: 'val/bpb' };
  const [run] = store.listRuns({ sweepId: sweep?.id, state: 'finished', order, limit: 1 });
  if (run === undefined)
    throw new InputError(
      `there is no finished run${sweep === undefined ? '' : ` in sweep ${sweep.id}`} to sample from`,
    );
  return run;
}

function realNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  const allowed = max === Infinity ? `a number at least ${min}` : `a number from ${min} to ${max}`;
  const nearest = Number.isNaN(value) ? '' : `; nearest: ${Math.min(max, Math.max(min, value))}`;
  throw new InputError(`${flag} is ${JSON.stringify(text)}; allowed: ${allowed}${nearest}`);
}
