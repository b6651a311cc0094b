/** What makes results of a run worthless although it trains: said before it starts. */
import type { Config, Warning } from '../../../preload/contract/settings.ts';
import { counted, formatCount, formatInteger } from '../../../preload/shared/format.ts';
import type { Kinds } from '../../engine/kind.ts';
import { estimateDataset } from './budget.ts';
import type { DatasetSize } from './budget.ts';
import { notReachedUnplanned } from './notReached.ts';
import { sharedFiles } from './sharedFiles.ts';
import { isRefused, measureTexts, refuseUnreadable, textIn } from './textSizes.ts';
import type { MeasureOptions } from './textSizes.ts';

/** Fewer scored tokens than this leave a loss with an error as large as the differences that sweeps are made for. */
export const LEAST_SCORED = 5000;
/** A run that reads its text more often than this learns it by heart, whatever its settings. */
export const MOST_PASSES = 100;

/** @param tokens that the run is planned to train on; null when nobody knows */
export function textWarnings(config: Config, tokens: number | null, kinds?: Kinds): string[] {
  if (isRefused(config)) return [];
  const size = estimateDataset(config, kinds);
  // How much a packed file holds shows when it is read: repeated text packs to a hundredth.
  const unread = (setting: 'data.corpus' | 'data.validation_path'): boolean =>
    size?.counted === undefined && textIn(config, setting)?.packed === true;
  const apart = config['data.validation_path'] !== '';
  return [
    ...sameText(config),
    ...(unread(apart ? 'data.validation_path' : 'data.corpus') ? [] : tooSmall(config, size)),
    ...(unread('data.corpus') ? [] : tooOften(tokens, size)),
    ...repeated(tokens, size),
  ];
}

/** Passes over one text of a mixture that are about as good as new text (Muennighoff et al. 2023); more of them are worth less and less. */
export const GOOD_PASSES = 4;

/** Which texts of a mixture are read more often than is worth it. */
function repeated(tokens: number | null, size: DatasetSize | undefined): string[] {
  if (tokens === null) return [];
  return (size?.counted?.texts ?? []).flatMap(({ corpus, share, trainTokens }) => {
    const passes = (tokens * share) / trainTokens;
    if (!(passes > GOOD_PASSES)) return [];
    return [
      `the mixture reads ${corpus} about ${formatInteger(Number(passes.toPrecision(2)))} times (${formatCount(tokens * share)} tokens of training, ` +
        `${formatCount(trainTokens)} of text): beyond ${GOOD_PASSES} passes repeated text teaches less and less; give it a smaller share in data.mix, or more text`,
    ];
  });
}

/** The warnings of many configurations, each once. */
export const allTextWarnings = (
  configs: readonly { readonly config: Config; readonly tokens: number | null }[],
  kinds?: Kinds,
): string[] => [...new Set(configs.flatMap(({ config, tokens }) => textWarnings(config, tokens, kinds)))];

/** Looks at the texts of configurations that nobody has planned: how often each is read is not known. */
export async function unplannedTextWarnings(
  configs: readonly Config[],
  options: MeasureOptions = {},
): Promise<Warning[]> {
  const { kinds } = options;
  await measureTexts(configs, options);
  const unplanned = configs.map((config) => ({ config, tokens: null }));
  return allTextWarnings(unplanned, kinds).map((message) => ({ code: 'text', message }));
}

/** The same before a start that is only tried out. @throws DataError for the first text that cannot be read, as training would */
export async function dryRunTextWarnings(configs: readonly Config[], options: MeasureOptions = {}): Promise<Warning[]> {
  const warnings = await unplannedTextWarnings(configs, options);
  refuseUnreadable(configs);
  const ends = new Set(configs.flatMap((config) => notReachedUnplanned(config, options.kinds)));
  return [...warnings, ...[...ends].map((message) => ({ code: 'text', message }))];
}

function sameText(config: Config): string[] {
  const [train, validation] = [textIn(config, 'data.corpus'), textIn(config, 'data.validation_path')];
  if (train === undefined || validation === undefined) return [];
  const shared = sharedFiles(train.files, validation.files);
  if (shared === 0) return [];
  const which =
    shared === validation.files.length
      ? 'everything in data.validation_path'
      : `${shared} of ${counted(validation.files.length, 'file')} of data.validation_path`;
  return [
    `${which} (${String(config['data.validation_path'])}) is trained on too, because data.corpus holds the same: its loss says nothing about ` +
      'new text; name another text, or leave data.validation_path empty and a share is held out',
  ];
}

function tooSmall(config: Config, size: DatasetSize | undefined): string[] {
  const limit = config['eval.tokens'] as number;
  const unknown =
    config['data.validation_path'] !== '' &&
    size?.exact !== true &&
    size?.counted === undefined &&
    !textIn(config, 'data.validation_path');
  const held = (unknown ? undefined : size?.validationTokens) ?? Infinity;
  if (limit > 0 && limit < LEAST_SCORED && limit <= held)
    return [
      `eval.tokens is ${limit}: a loss over so few tokens is too uncertain to rank settings by; score ${LEAST_SCORED} or more, or all (0)`,
    ];
  if (held >= LEAST_SCORED) return [];
  const wider =
    config['data.validation_path'] === ''
      ? 'more text, a larger data.validation, or a text of its own in data.validation_path'
      : 'a longer text in data.validation_path';
  return [
    `${size?.exact === true ? '' : 'about '}${formatCount(held)} tokens are held out: a loss over so few is too uncertain to rank settings by; ` +
      `what helps is ${wider}`,
  ];
}

function tooOften(tokens: number | null, size: DatasetSize | undefined): string[] {
  if (tokens === null || size === undefined || size.trainTokens === 0) return [];
  const passes = tokens / size.trainTokens;
  if (passes <= MOST_PASSES) return [];
  return [
    `the run reads its text ${size.exact ? '' : 'about '}${formatInteger(Number(passes.toPrecision(2)))} times (${formatCount(tokens)} tokens of training, ` +
      `${formatCount(size.trainTokens)} of text) and will know it by heart; what helps is more text or an earlier stop`,
  ];
}
