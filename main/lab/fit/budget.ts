/** How long a run will be, as far as its settings say before any data is read. */
import { batchPlan } from '../../engine/batch/plan.ts';
import type { BatchShape, Stage } from '../../engine/batch/plan.ts';
import { plannedAfter, StopRuleError, StopRules } from '../../engine/train/stopRules.ts';
import type { PlannedRun } from '../../engine/train/stopRules.ts';
import { parameterCounts } from '../../engine/nn/parameterCounts.ts';
import type { TrainingPrograms } from '../../engine/nn/training.ts';
import type { PlannedLength, PlannedStage } from '../../../preload/contract/fit.ts';
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
  readonly counted?: Pick<TextCount, 'basis' | 'sampledBytes' | 'texts'>;
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
  const { trainTokens, validationTokens, exact, basis, sampledBytes, offsets, texts } = count;
  const mode = config['data.batching'] as BatchingMode;
  const rows = rowsOfEpoch(mode, config['model.context'] as number, { tokens: trainTokens, offsets });
  return {
    trainTokens,
    validationTokens,
    exact,
    counted: { basis, sampledBytes, ...(texts !== undefined && { texts }) },
    // The beginning of a text says nothing of its last row.
    ...(exact ? { sequencesPerEpoch: rows } : {}),
  };
}

/** How far the length of a text may be off that is known by its beginning. */
const UNCERTAIN = 0.25;

/** Steps and tokens by the stop rules of the engine. Steps are computed for full rows: padding and last short rows are not foreseen. */
export function plannedLength(
  config: Config,
  model: Pick<TrainingPrograms, 'parameterCounts' | 'flopsPerTokenAt'>,
  known?: DatasetSize,
  kinds?: Kinds,
): PlannedLength {
  const context = config['model.context'] as number;
  const plan = batchPlan(config, kinds);
  const dataset = known ?? estimateDataset(config, kinds);
  const epochs = config['stop.epochs'] as number;
  const sequencesPerEpoch =
    dataset === undefined ? undefined : (dataset.sequencesPerEpoch ?? dataset.trainTokens / context);
  // Without a size, epochs cannot be turned into steps: the other rules bound the run.
  const usable = epochs > 0 && sequencesPerEpoch === undefined ? { ...config, 'stop.epochs': 0 } : config;
  const tokensOf = ({ length, sequences }: BatchShape): number => sequences * length;
  const stages = plan.stages();
  const planned = stages.map((stage) => ({
    steps: stage.steps,
    tokens: tokensOf(stage),
    // Rows of another length are as many tokens.
    epochs: tokensOf(stage) / context / (sequencesPerEpoch ?? Infinity),
    flops: tokensOf(stage) * model.flopsPerTokenAt(stage.length),
  }));
  const rules = stopRules(usable, { stages: planned, parameterCounts: model.parameterCounts });
  const steps = rules?.plannedSteps;
  const tokens = steps === undefined ? undefined : plannedAfter(planned, steps, 'tokens');
  const seconds = config['stop.seconds'] as number;
  return {
    tokensPerStep: steps === undefined ? planned.at(-1)!.tokens : tokens! / steps,
    steps: steps ?? null,
    tokens: tokens ?? null,
    flops: steps === undefined ? null : plannedAfter(planned, steps, 'flops'),
    limit: rules?.limit ?? null,
    stages: madeStages(stages, steps),
    varies: plan.varies,
    estimated: epochs > 0 && dataset?.exact !== true,
    ...(epochs > 0 && dataset?.counted?.basis === 'beginning' ? { uncertain: UNCERTAIN } : {}),
    seconds: seconds > 0 ? seconds : null,
  };
}

/** The length of a run that no limit ends which depends on its model. */
export const lengthOfText = (config: Config, kinds?: Kinds): PlannedLength =>
  plannedLength(
    config,
    { parameterCounts: parameterCounts([], undefined), flopsPerTokenAt: () => 0 },
    undefined,
    kinds,
  );

/** Stages up to the end of the run: those that it comes to, the last one as long as it lasts. */
function madeStages(stages: readonly Stage[], end: number | undefined): PlannedStage[] {
  return stages
    .filter(({ from }) => from.step < (end ?? Infinity))
    .map(({ from, steps, length, sequences }) => {
      const made = Math.min(steps, (end ?? Infinity) - from.step);
      return { from: from.step, tokens: from.tokens, steps: Number.isFinite(made) ? made : null, length, sequences };
    });
}

function stopRules(config: Config, run: PlannedRun): StopRules | undefined {
  try {
    return new StopRules(config, run);
  } catch (error) {
    if (error instanceof StopRuleError) return undefined;
    throw error;
  }
}
