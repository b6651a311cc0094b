/** `sweeplab data`: which corpora there are, preparing one, its numbers, and deleting what was prepared. */
import { Command } from 'commander';
import { listCorpora } from '../../lab/datasets/catalog.ts';
import { listPrepared } from '../../lab/datasets/prepared.ts';
import { listRecipes } from '../../lab/settings/index.ts';
import { configure } from '../configuration.ts';
import { EXIT } from '../errors.ts';
import { commandGroup } from '../group.ts';
import { onInterrupt } from '../interrupts.ts';
import { requirePlugins, tellPlugins } from '../context.ts';
import type { Context } from '../context.ts';
import { formatBytes, formatCount, formatInteger, formatNumber, plural } from '../format.ts';
import { formatFloor } from '../progress/train.ts';
import { cacheWords } from '../../../preload/shared/cacheWords.ts';
import { readingLines } from '../../../preload/shared/reading.ts';
import type { ReadingReport } from '../../../preload/contract/reading.ts';
import { dataDisplay } from '../progress/data.ts';
import { knownRuns, preparedTable, removeData, unfinishedTable } from './dataFolders.ts';
import type { RemoveOptions } from './dataFolders.ts';
import { withPipedText } from '../pipedText.ts';
import { addSettingFlags, settingsHelp, settingValues, singleValues } from '../settingFlags.ts';
import { renderTable } from '../table.ts';
import { floorOf, prepareDatasets } from '../../lab/datasets/datasets.ts';
import type { Dataset } from '../../lab/datasets/datasets.ts';

type Options = { readonly recipe?: string } & Record<string, unknown>;

export function dataCommand(context: Context): Command {
  const data = commandGroup(
    'data',
    'Corpora and recipes: list, prepare, look at their numbers, delete what was prepared.',
  );
  data.addCommand(
    new Command('list')
      .description('The corpora that can be named, and other sources.')
      .option('--recipes', 'list the recipes instead')
      .action((options: { recipes?: boolean }) => list(context, options.recipes === true)),
  );
  data.addCommand(
    withSettings(
      context,
      new Command('prepare').description(
        'Download, split and tokenize now, so that runs start at once; of large texts what was interrupted goes on.',
      ),
      '[corpora...]',
    ).action((corpora: readonly string[], options: Options) => prepare(context, corpora, options)),
  );
  data.addCommand(
    withSettings(
      context,
      new Command('stats').description(
        'Sizes, tokens, unseen and duplicate text of a dataset (prepared first if need be).',
      ),
      '[corpus]',
    ).action((corpus: string | undefined, options: Options) => stats(context, corpus, options)),
  );
  data.addCommand(
    new Command('rm')
      .description('Delete prepared data, what interrupted preparations left, or downloads; runs and texts stay.')
      .argument('[data...]', 'ids of `data list`, beginnings of ids, or names of texts')
      .option('--unfinished', 'everything that interrupted preparations left')
      .option('--downloads', 'everything that was downloaded; it is fetched again when it is needed')
      .option('--yes', 'without being asked')
      .action((names: string[], options: RemoveOptions) => removeData(context, names, options)),
  );
  return data;
}

function withSettings(context: Context, command: Command, argument: string): Command {
  const { registry } = context.workshop;
  command
    .argument(argument, 'name, path, folder, glob, or - for standard input; the same as --data.corpus')
    .option('--recipe <name>', 'start from a recipe');
  addSettingFlags(command, registry);
  return command.addHelpText('after', () => {
    const sections = ['data', 'tokenizer'].map((section) => settingsHelp(registry, context.output, false, section));
    return `\n${sections.join('\n\n')}`;
  });
}

async function list(context: Context, recipes: boolean): Promise<void> {
  const { output, workshop } = context;
  if (recipes) {
    const all = await listRecipes();
    output.data(all.map(({ name, title, teaches, about, path }) => ({ name, title, teaches, about, path })));
    const rows = all.map(({ name, about, teaches }) => [
      name,
      about.size,
      about.data,
      `${about.minutes} min, ${about.machine}`,
      teaches,
    ]);
    output.text(
      renderTable(
        output,
        ['recipe', 'size', 'data', 'takes', 'teaches'].map((title) => ({ title })),
        rows,
      ),
    );
    return;
  }
  tellPlugins(context);
  const lists = await listPrepared(workshop.paths.cache, await knownRuns(context));
  const { prepared, unfinished } = lists;
  const corpora = listCorpora(workshop.registry.catalog);
  output.data({ corpora, ...lists });
  const rows = corpora.map(({ name, description }) => [name, description]);
  output.text(
    renderTable(
      output,
      ['data.corpus', 'what it is'].map((title) => ({ title })),
      rows,
    ),
  );
  for (const table of [preparedTable(output, prepared), unfinishedTable(output, unfinished)])
    if (table !== undefined) output.text(`\n${table}`);
  const whole = cacheWords(lists);
  if (whole === undefined) return;
  const advice = lists.downloadedBytes > 0 ? ' To delete what was downloaded: sweeplab data rm --downloads.' : '';
  output.text(`\n${whole}, in ${workshop.paths.cache}.${advice}`);
}

async function load(
  context: Context,
  corpus: string | undefined,
  options: Options,
  { summary = true, signal }: { readonly summary?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Dataset> {
  requirePlugins(context);
  const flags = settingValues(context.workshop.registry, options);
  const values = corpus === undefined ? flags : { 'data.corpus': [corpus], ...flags };
  const overrides = singleValues(await withPipedText(context, values));
  const { config } = await configure(context, { recipe: options.recipe, overrides });
  using display = dataDisplay(context.output, { summary });
  const { onProgress, onReady } = display;
  const { paths, registry } = context.workshop;
  return await prepareDatasets([config], {
    cacheDir: paths.cache,
    kinds: registry.catalog,
    onProgress,
    onReady,
    ...(signal !== undefined && { signal }),
  });
}

/** One after another; without any, the text of the settings. */
async function prepare(context: Context, corpora: readonly string[], options: Options): Promise<void> {
  const { output, workshop } = context;
  const cancel = new AbortController();
  using interrupts = onInterrupt(
    () => cancel.abort(),
    () => process.exit(EXIT.interrupted),
  );
  const ready: Record<string, unknown>[] = [];
  try {
    for (const corpus of corpora.length === 0 ? [undefined] : corpora) {
      const { stats: numbers, contentHash } = await load(context, corpus, options, { signal: cancel.signal });
      ready.push({ hash: contentHash, ...numbers });
      output.text(
        `Ready: ${corpora.length > 1 ? `${corpus}, ` : ''}${formatCount(numbers.trainTokens)} training tokens, ` +
          `${formatCount(numbers.validationTokens)} held out, in ${workshop.paths.cache}`,
      );
    }
    output.data(ready.length === 1 ? ready[0]! : ready);
  } catch (error) {
    if (!interrupts.interrupted) throw error;
    output.note('Stopped. Downloads and finished shards are kept: the same command goes on from there.');
    context.exit(EXIT.interrupted);
  }
}

async function stats(context: Context, corpus: string | undefined, options: Options): Promise<void> {
  const dataset = await load(context, corpus, options, { summary: false });
  const { stats: numbers, tokenizer, contentHash, reading } = dataset;
  const floor = floorOf(dataset);
  const { output } = context;
  output.data({
    hash: contentHash,
    tokenizer: { kind: tokenizer.kind, vocabulary: tokenizer.vocabularySize },
    entropyFloor: floor?.bitsPerByte ?? null,
    entropyFloorError: floor?.standardError ?? null,
    ...numbers,
    reading,
  });
  const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;
  const side = (report: ReadingReport | null, name: string): [string, string][] =>
    report === null ? [] : readingLines(report).map(([title, text]) => [`${name}${title}`, text]);
  const rows: [string, string][] = [
    ...side(reading.corpus, ''),
    ...side(reading.validation, 'validation: '),
    ['text', `${formatBytes(numbers.trainBytes)} to train on, ${formatBytes(numbers.validationBytes)} held out`],
    [
      'documents',
      `${formatInteger(numbers.trainDocuments)} to train on, ${formatInteger(numbers.validationDocuments)} held out`,
    ],
    [
      'tokens',
      `${formatInteger(numbers.trainTokens)} to train on, ${formatInteger(numbers.validationTokens)} held out`,
    ],
    [
      'tokenizer',
      `${tokenizer.kind}, vocabulary ${formatInteger(tokenizer.vocabularySize)}, ${formatInteger(numbers.usedVocabulary)} used`,
    ],
    ['bytes per token', formatNumber(numbers.bytesPerToken)],
    ['longest document', plural(numbers.longestDocument, 'token')],
    ['held-out tokens never seen in training', percent(numbers.unseenTokenFraction)],
    ['held-out documents that occur in training', percent(numbers.duplicateFraction)],
    ...(floor === null
      ? []
      : [
          [
            'entropy (floor of val/bpb)',
            `${formatFloor(floor.bitsPerByte, floor.standardError)} bits/byte, exact for ${floor.documents === 1 ? 'this document' : `these ${formatInteger(floor.documents)} documents`}`,
          ] as [string, string],
        ]),
    ['content', contentHash.slice(0, 16)],
  ];
  output.text(rows.map(([name, text]) => `${name.padEnd(43)}${text}`).join('\n'));
}
