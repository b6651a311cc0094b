/** How long a run will be, as far as its settings say before any data is read. */
import { StopRuleError, StopRules } from '../../engine/train/stopRules.ts';
import type { PlannedLength } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { countIn, textIn } from './textSizes.ts';
import { rowsOfEpoch } from '../../engine/data/index.ts';
import type { BatchingMode, TextCount } from '../../engine/data/index.ts';
import { corpusFamily, corpusOf } from '../../engine/data/corpora/index.ts';
import { bytesPerTokenOf } from '../../engine/data/tokenizers/index.ts';
import { BUILT_IN } from '../../engine/kind.ts';
import type { Kinds } from '../../engine/kind.ts';

export interface DatasetSize {
  readonly trainTokens: number;
  readonly validationTokens: number;
  /** Training sequences of one epoch; by default trainTokens ÷ context. */
  readonly sequencesPerEpoch?: number;
  /** Sequences of the validation split, when known. */
  readonly validationRows?: number;
  /** False for a guess from the settings. */
  readonly exact: boolean;
  /** What was read to know it; undefined: files were only looked at, or nothing was. */
  readonly counted?: Pick<TextCount, 'basis' | 'sampledBytes'>;
}

/**
 * Size of the data as it was counted, or as its files are, where somebody has looked (measureTexts); else as the settings give it.
 * Undefined for downloads without a limit.
 */
export function estimateDataset(config: Config, kinds: Kinds = BUILT_IN): DatasetSize | undefined {
  const count = countIn(config);
  if (count !== undefined) return sizeOf(config, count);
  const { kind, settings } = corpusOf(config, kinds);
  const given = kind.bytes(settings) ?? Infinity;
  // Files are read up to the limit; a corpus that has a name is no file.
  const size =
    kind === corpusFamily.otherwise ? Math.min(given, textIn(config, 'data.corpus')?.bytes ?? Infinity) : given;
  if (size === Infinity) return undefined;
  const perToken = bytesPerTokenOf(config, kinds);
  const apart = config['data.validation_path'] !== '';
  const held = apart ? 0 : (config['data.validation'] as number);
  const validation = apart ? (textIn(config, 'data.validation_path')?.bytes ?? 0) : size * held;
  return {
    trainTokens: Math.round((size * (1 - held)) / perToken),
    validationTokens: Math.round(validation / perToken),
    exact: false,
  };
}

function sizeOf(config: Config, count: TextCount): DatasetSize {
  const { trainTokens, validationTokens, exact, basis, sampledBytes, offsets } = count;
  const mode = config['data.batching'] as BatchingMode;
  const rows = rowsOfEpoch(mode, config['model.context'] as number, { tokens: trainTokens, offsets });
  return {
    trainTokens,
    validationTokens,
    exact,
    counted: { basis, sampledBytes },
    // The beginning of a text says nothing of its last row.
    ...(exact ? { sequencesPerEpoch: rows } : {}),
  };
}

/** How far the length of a text may be off that is known by its beginning. */
const UNCERTAIN = 0.25;

/** Steps and tokens by the stop rules of the engine. Steps are computed for full rows: padding and last short rows are not foreseen. */
export function plannedLength(
  config: Config,
  model: { readonly flopsPerToken: number; readonly parameterCount: number },
  known?: DatasetSize,
  kinds?: Kinds,
): PlannedLength {
  const sequences = config['batch.sequences'] as number;
  const context = config['model.context'] as number;
  const tokensPerStep = sequences * context;
  const dataset = known ?? estimateDataset(config, kinds);
  const epochs = config['stop.epochs'] as number;
  const sequencesPerEpoch =
    dataset === undefined ? undefined : (dataset.sequencesPerEpoch ?? dataset.trainTokens / context);
  // Without a size, epochs cannot be turned into steps: the other rules bound the run.
  const usable = epochs > 0 && sequencesPerEpoch === undefined ? { ...config, 'stop.epochs': 0 } : config;
  const flops = model.flopsPerToken * tokensPerStep;
  const size = {
    tokens: tokensPerStep,
    sequences,
    sequencesPerEpoch: sequencesPerEpoch ?? Infinity,
    flops,
    parameters: model.parameterCount,
  };
  const steps = plannedSteps(usable, size);
  const seconds = config['stop.seconds'] as number;
  return {
    tokensPerStep,
    steps: steps ?? null,
    tokens: steps === undefined ? null : steps * tokensPerStep,
    flops: steps === undefined ? null : steps * flops,
    estimated: epochs > 0 && dataset?.exact !== true,
    ...(epochs > 0 && dataset?.counted?.basis === 'beginning' ? { uncertain: UNCERTAIN } : {}),
    seconds: seconds > 0 ? seconds : null,
  };
}

function plannedSteps(config: Config, size: ConstructorParameters<typeof StopRules>[1]): number | undefined {
  try {
    return new StopRules(config, size).plannedSteps;
  } catch (error) {
    if (error instanceof StopRuleError) return undefined;
    throw error;
  }
}
