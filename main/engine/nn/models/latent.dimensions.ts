/**
 * Sizes of hlb-gpt v0.4.1, from its one dial and back. Formulas of its main file, with the limits that they lack: no width and no depth is
 * ever 0, and a small model gets a learning rate that it survives.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { tableRows } from '../layers/vocabulary.ts';

/** Parameters at scale 1: depth 8, width 384, 50,304 rows of tokens. */
export const REFERENCE_PARAMETERS = 46_009_736;

const REFERENCE = { depth: 8, width: 384 };
const WIDTH_MULTIPLE = 64;

/** The nearest whole number; halves to the even one, as Python rounds. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** 64·round(384·log2(1 + scale)/64), at least 64. */
export const widthOf = (scale: number): number =>
  Math.max(1, roundHalfEven((REFERENCE.width * Math.log2(1 + scale)) / WIDTH_MULTIPLE)) * WIDTH_MULTIPLE;

/** round(8·log2(1 + scale)), at least 1. */
export const depthOf = (scale: number): number => Math.max(1, roundHalfEven(REFERENCE.depth * Math.log2(1 + scale)));

/** Scales whose width or depth these are. */
export const scaleOfWidth = (width: number): number => 2 ** (width / REFERENCE.width) - 1;
export const scaleOfDepth = (depth: number): number => 2 ** (depth / REFERENCE.depth) - 1;

export interface LatentSizes {
  readonly depth: number;
  /** Of the residual stream, and of the values. */
  readonly width: number;
  readonly heads: number;
  /** Of queries and keys, all heads together: ⌊width / model.query_divisor⌋. */
  readonly queryWidth: number;
  /** Gated features of a block: model.expand × width, the last `width` of which are the values. */
  readonly expanded: number;
  readonly linearValue: boolean;
}

export function latentSizes(config: Config): LatentSizes {
  const width = config['model.width'] as number;
  return {
    depth: config['model.depth'] as number,
    width,
    heads: config['model.heads'] as number,
    queryWidth: Math.floor(width / (config['model.query_divisor'] as number)),
    expanded: width * (config['model.expand'] as number),
    linearValue: config['model.linear_value'] as boolean,
  };
}

/** Parameters of all blocks and the final norm, tables of tokens apart. */
export function blockParameters({ depth, width, queryWidth, expanded, linearValue }: LatentSizes): number {
  // A linear value has no second branch.
  const inner = 2 * expanded - (linearValue ? width : 0);
  const block = (2 * queryWidth + inner) * width + expanded * width + width + 1;
  return depth * block + width;
}

/** All parameters. */
export function latentParameters(config: Config, vocabulary: number): number {
  const sizes = latentSizes(config);
  const rows = tableRows(vocabulary, config['model.vocabulary_multiple'] as number);
  return (config['model.tied'] === true ? 1 : 2) * rows * sizes.width + blockParameters(sizes);
}

/** 2.62 × 9·10⁷ / (ln N)^8.8: hlb-gpt's fit of GPT-3's table, which it does not reach below a million parameters. */
export function latentLearningRate(parameters: number): number {
  return Math.min(MOST_LEARNING_RATE, (2.62 * 9e7) / Math.log(parameters) ** 8.8);
}

const MOST_LEARNING_RATE = 0.01;
