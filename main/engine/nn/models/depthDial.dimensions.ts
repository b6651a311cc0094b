/**
 * The sizes of a depth-dial and what follows from them: nanochat's rules, by which one number, the depth, sets width, batch, learning rate,
 * weight decay and length of a run. A depth of 12 is the reference: its rates are as they were tuned, and others are scaled from it.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Kinds } from '../../kind.ts';
import { tokensPerStep } from '../../settings/batch.ts';
import type { CountedParameters } from '../../settings/stop.ts';
import { reachOf, windowPattern } from '../attention/windowPattern.ts';
import { tokensSeen } from '../attention/attention.ts';
import { attentionFamily } from '../attention/index.ts';
import { changed } from '../../changed.ts';
import { knownVocabulary, tableRows } from '../layers/vocabulary.ts';
import { roundMlpWidth } from './gpt.dimensions.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** Channels of the stream that gates read: of value embeddings, and of the smear. */
const VALUE_GATE = 12;
const SMEAR_GATE = 24;

/** The reference run: depth, width, tokens per step, weight decay, and the rate that AdamW takes there. */
export const REFERENCE = { depth: 12, width: 768, tokensPerStep: 2 ** 19, weightDecay: 0.28, learningRate: 0.003 };

/** depth × aspect ratio, up to a multiple of the head size. */
export const dialWidth = (depth: number, ratio: number, headSize: number): number =>
  Math.ceil((depth * ratio) / headSize) * headSize;

/** 128 unless given. */
export const headSizeOf = (config: Config): number => number(config, 'model.head_size') || HEAD_SIZE;

const HEAD_SIZE = 128;

export interface DialSizes {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly mlpWidth: number;
  /** Channels that the gates of value embeddings and of the smear read. */
  readonly valueGate: number;
  readonly smearGate: number;
}

export function dialSizes(config: Config): DialSizes {
  const width = number(config, 'model.width');
  const heads = number(config, 'model.heads');
  // A rule refuses a ratio that is too small; what follows from it is asked before.
  const ratio = number(config, 'model.mlp_ratio');
  return {
    depth: number(config, 'model.depth'),
    width,
    heads,
    kvHeads: number(config, 'model.kv_heads') || heads,
    headSize: headSizeOf(config),
    mlpWidth: number(config, 'model.mlp_width') || (ratio * width < 1 ? 1 : roundMlpWidth(ratio, width)),
    valueGate: Math.min(VALUE_GATE, width),
    smearGate: Math.min(SMEAR_GATE, width),
  };
}

/** Whether a layer has value embeddings: every second one, the last among them. */
export const hasValueEmbedding = (config: Config, layer: number, depth: number): boolean =>
  config['model.value_embeddings'] === true && layer % 2 === (depth - 1) % 2;

const rowsOf = (config: Config, kinds: Kinds): number =>
  tableRows(knownVocabulary(config, kinds) ?? 0, number(config, 'model.vocabulary_multiple'));

export interface DialParameters {
  /** Matrices of the blocks and the head: what tokens per parameter are counted by. */
  readonly scaling: number;
  /** The head among them. */
  readonly head: number;
  /** Embeddings of tokens and of values. */
  readonly embeddings: number;
  /** Single numbers, and gates of a single number. */
  readonly scalars: number;
}

export function dialParameters(config: Config, kinds: Kinds): DialParameters {
  const s = dialSizes(config);
  const rows = rowsOf(config, kinds);
  const [own, shared] = [s.heads * s.headSize, s.kvHeads * s.headSize];
  const block = 2 * s.width * own + 2 * s.width * shared + 2 * s.width * s.mlpWidth;
  const withValues = Array.from({ length: s.depth }, (_, layer) => hasValueEmbedding(config, layer, s.depth));
  const valued = withValues.filter(Boolean).length;
  const gates = valued * s.kvHeads * s.valueGate;
  const tied = config['model.tied'] === true;
  const head = rows * s.width;
  return {
    scaling: s.depth * block + (s.kvHeads > 1 ? gates : 0) + head,
    head,
    embeddings: (tied ? 0 : head) + valued * rows * shared,
    scalars:
      (s.kvHeads > 1 ? 0 : gates) +
      s.depth * (config['model.input_skip'] === true ? 2 : 0) +
      (config['model.smear'] === true ? s.smearGate + 1 : 0) +
      (config['model.backout'] === true ? 1 : 0),
  };
}

/** Floating-point operations of training on one token: 6 per scaling parameter, 12 per feature and token that attention sees. */
export function dialFlopsPerToken(config: Config, kinds: Kinds): number {
  const { depth, heads, headSize } = dialSizes(config);
  const context = number(config, 'model.context');
  const attends = kinds.all(attentionFamily).find(({ name }) => name === config['attention.kind']);
  const seen = Array.from({ length: depth }, (_, layer) => {
    if (attends === windowPattern) return reachOf(config, layer, depth);
    return tokensSeen(attends?.mask?.(config, { layer, layers: depth }), heads, context);
  });
  const attention = seen.reduce((sum, tokens) => sum + 12 * heads * headSize * Math.min(tokens, context), 0);
  return 6 * dialParameters(config, kinds).scaling + attention;
}

/** Tokens of a run by its ratio alone: `model.data_ratio` × scaling parameters. */
export const ratioTokens = (config: Config, kinds: Kinds): number =>
  Math.floor(number(config, 'model.data_ratio') * dialParameters(config, kinds).scaling);

/** The same for the reference depth, other settings alike. */
export function referenceTokens(config: Config, kinds: Kinds): number {
  const [ratio, headSize] = [number(config, 'model.aspect_ratio'), headSizeOf(config)];
  const width = dialWidth(REFERENCE.depth, ratio, headSize);
  const heads = width / headSize;
  const reference = { 'model.depth': REFERENCE.depth, 'model.width': width, 'model.heads': heads, 'model.kv_heads': 0 };
  return ratioTokens(changed(config, reference), kinds);
}

/** How many of them count for `stop.tokens_per_parameter`: what the model will have, told before it is built. */
export function dialCount(config: Config, kinds: Kinds): number {
  const { scaling, head, embeddings, scalars } = dialParameters(config, kinds);
  const counts: Readonly<Record<CountedParameters, number>> = {
    all: scaling + embeddings + scalars,
    without_embeddings: scaling + scalars,
    without_embeddings_and_head: scaling + scalars - head,
    matrices_and_head: scaling,
  };
  return counts[config['stop.counted_parameters'] as CountedParameters];
}

/** Where the limits of a run in tokens, parameters or operations end it; undefined without any. */
function limitedTokens(config: Config, kinds: Kinds): number | undefined {
  const ends = [
    number(config, 'stop.tokens'),
    number(config, 'stop.tokens_per_parameter') * dialCount(config, kinds),
    number(config, 'stop.flops') / dialFlopsPerToken(config, kinds),
  ].filter((tokens) => tokens > 0);
  return ends.length > 0 ? Math.min(...ends) : undefined;
}

/** Tokens that the run will see, whatever says so: a limit, or its steps. */
function plannedTokens(config: Config, kinds: Kinds): number {
  const steps = number(config, 'stop.steps') * tokensPerStep(config);
  const ends = [limitedTokens(config, kinds) ?? 0, steps].filter((tokens) => tokens > 0);
  return ends.length > 0 ? Math.min(...ends) : ratioTokens(config, kinds);
}

/** Tokens per step in which a run of `tokens` is best made, a power of two: B ∝ D^0.383 (Power Lines, Bergsma et al. 2025). */
export const dialBatchTokens = (tokens: number, reference: number): number =>
  2 ** Math.round(Math.log2(REFERENCE.tokensPerStep * (tokens / reference) ** 0.383));

/** Sequences per step of {@link dialBatchTokens}. */
export function dialSequences(config: Config, kinds: Kinds): number {
  const tokens = limitedTokens(config, kinds) ?? ratioTokens(config, kinds);
  const batch = dialBatchTokens(tokens, referenceTokens(config, kinds));
  return Math.max(1, Math.round(batch / number(config, 'model.context')));
}

/** Steps in which the run sees the tokens of its ratio. */
export const dialSteps = (config: Config, kinds: Kinds): number =>
  Math.max(1, Math.floor(ratioTokens(config, kinds) / tokensPerStep(config)));

const batchRoot = (config: Config): number => Math.sqrt(tokensPerStep(config) / REFERENCE.tokensPerStep);

/** √(tokens per step / 2¹⁹) × √(768 / width) × the rate of the reference. */
export const dialLearningRate = (config: Config): number =>
  REFERENCE.learningRate * batchRoot(config) * Math.sqrt(REFERENCE.width / number(config, 'model.width'));

/**
 * The decay under which numbers of a matrix can still be as large as they begin: AdamW holds each below 1 / decay (Xie & Li 2024), and they
 * begin at 1/√width.
 */
export const mostDialDecay = (config: Config): number => Math.sqrt(number(config, 'model.width'));

/**
 * 0.28 × √(tokens per step / 2¹⁹) × tokens of the reference / tokens of the run (Wang & Aitchison 2024: the same share is forgotten), which
 * says hundreds for a run of a thousandth of its tokens: no more than {@link mostDialDecay}.
 */
export const dialWeightDecay = (config: Config, kinds: Kinds): number =>
  Math.min(
    mostDialDecay(config),
    (REFERENCE.weightDecay * batchRoot(config) * referenceTokens(config, kinds)) / plannedTokens(config, kinds),
  );
