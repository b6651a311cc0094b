/**
 * Every size of a gpt model that follows from its settings, computed in one place: the checks before launch, the memory
 * plan and the model itself all call `deriveModel`, so that what was checked is what is built.
 */
import type { Config } from '../../../../preload/contract/settings.ts';
import { changed } from '../../changed.ts';
import { halfAHead, ROPE } from './latentKv.settings.ts';
import { scaledWidths } from './widths.ts';

/** All sizes in elements (of the residual stream, of a head …), never in bytes. */
export interface ModelDimensions {
  readonly depth: number;
  /** Width of the residual stream. */
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` means grouped-query attention. */
  readonly kvHeads: number;
  /** Query heads that share one key and value head. */
  readonly groupSize: number;
  readonly headSize: number;
  /** heads × headSize: width of the queries and of the attention output before its projection. */
  readonly attentionWidth: number;
  /** kvHeads × headSize: width of the keys and of the values. */
  readonly kvWidth: number;
  /** Hidden width of the MLP (of one branch when gated). */
  readonly mlpWidth: number;
  /** True for swiglu and geglu, which have two input projections of `mlpWidth` each. */
  readonly mlpGated: boolean;
  /** Longest sequence, in tokens. */
  readonly context: number;
}

/** A rounded MLP width is a multiple of this, so that rows stay aligned for vector and matrix units. */
const MLP_WIDTH_MULTIPLE = 8;

/** Widths are multiples of this where heads are cut from them: rotary positions turn pairs of channels. */
export function headUnit(config: Config): number {
  const own = (config['model.head_size'] as number) > 0 || (config['model.attention_width'] as number) > 0;
  return own ? 1 : (config['model.heads'] as number) * (config['model.positions'] === 'rotary' ? 2 : 1);
}

/** MLP activations that have a gate branch. */
export function isGated(mlp: string): boolean {
  return mlp === 'swiglu' || mlp === 'geglu';
}

/**
 * ratio × width where that is a whole number (to one part in 10^9, so that 8/3 × 384 counts as 1024), otherwise rounded to
 * the nearest multiple of 8, at least 8. A product below 1 has no sensible width and throws a RangeError.
 */
export function roundMlpWidth(ratio: number, width: number): number {
  const product = ratio * width;
  const whole = Math.round(product);
  if (!(product >= 1 - 1e-9)) throw new RangeError(`model.mlp_ratio × model.width = ${product} is below 1`);
  if (Math.abs(product - whole) <= 1e-9 * whole) return whole;
  return Math.max(MLP_WIDTH_MULTIPLE, Math.round(product / MLP_WIDTH_MULTIPLE) * MLP_WIDTH_MULTIPLE);
}

function divide(a: number, b: number, what: string): number {
  if (!(b > 0) || a % b !== 0) throw new RangeError(`${what}: ${a} % ${b} = ${a % b}`);
  return a / b;
}

/**
 * The sizes of a gpt model from a complete configuration. Never rounds silently but for the MLP width: throws a RangeError
 * when `model.width` does not divide into heads or `model.heads` into key/value heads (checks before launch name the settings).
 */
export function deriveModel(config: Config): ModelDimensions {
  const number = (name: string): number => config[name] as number;
  const width = number('model.width');
  const heads = number('model.heads');
  const kvHeads = number('model.kv_heads') || heads;
  const between = number('model.attention_width');
  const headSize =
    number('model.head_size') ||
    (between > 0
      ? divide(between, heads, 'model.attention_width % model.heads')
      : divide(width, heads, 'model.width % model.heads'));
  const context = number('model.context');
  return {
    depth: number('model.depth'),
    width,
    heads,
    kvHeads,
    groupSize: divide(heads, kvHeads, 'model.heads % model.kv_heads'),
    headSize,
    attentionWidth: heads * headSize,
    kvWidth: kvHeads * headSize,
    mlpWidth: number('model.mlp_width') || roundMlpWidth(number('model.mlp_ratio'), width),
    mlpGated: isGated(config['model.mlp'] as string),
    context,
  };
}

/** An MLP width given as a number goes with the width of the model. */
export function mlpAtWidth(config: Config, width: number): Config {
  const given = config['model.mlp_width'] as number;
  if (given === 0) return {};
  return { 'model.mlp_width': Math.max(1, Math.round((given * width) / (config['model.width'] as number))) };
}

/**
 * The same gpt at another width. Heads of a size that is given stay as large where they fill the width, and there are more or fewer of
 * them; else as many heads are larger or smaller.
 */
export function gptAtWidth(config: Config, width: number): Config {
  const number = (name: string): number => config[name] as number;
  const [heads, kvHeads, size] = [number('model.heads'), number('model.kv_heads'), number('model.head_size')];
  const more = size > 0 && heads * size === number('model.width');
  const scaled = (count: number): number =>
    count === 0 ? 0 : Math.max(1, Math.round((count * width) / (heads * size)));
  const sized: Config = {
    'model.width': width,
    ...(more ? { 'model.heads': scaled(heads), 'model.kv_heads': scaled(kvHeads) } : {}),
    'model.widths': scaledWidths(config, width / number('model.width'), headUnit(config)),
    'model.attention_width': Math.round((number('model.attention_width') * width) / number('model.width')),
    ...mlpAtWidth(config, width),
  };
  // Rotary keys that are half a head stay half a head.
  const half = halfAHead(config);
  const wide = changed(config, sized);
  return half !== undefined && half === config[ROPE] ? changed(wide, { [ROPE]: halfAHead(wide)! }) : wide;
}
