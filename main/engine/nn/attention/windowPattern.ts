/** Short and full windows in turn, layer by layer. */
import { counted } from '../../../../preload/shared/format.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { MOST_LAYERS } from '../mostLayers.ts';
import { defineAttention } from './attention.ts';

const PATTERN = 'attention.pattern';
const SHORT = 'attention.short_window';

/** Kernels work in tiles of so many tokens. */
const TILE = 128;

/** A quarter of the context, up to whole tiles, as far as the context goes. */
const shortWindow = (context: number): number => Math.min(context, Math.ceil(context / 4 / TILE) * TILE);

/**
 * Tokens before its own that a token of a layer sees: `attention.short_window` where the layer's letter is S, all where it is L and in the
 * last layer, whose letter does not count. Never more than the context.
 */
export function reachOf(config: Config, layer: number, layers: number): number {
  const pattern = String(config[PATTERN]);
  const context = config['model.context'] as number;
  const full = layer === layers - 1 || pattern[layer % pattern.length] === 'L';
  return full ? context : Math.min(config[SHORT] as number, context);
}

export const windowPattern = defineAttention({
  name: 'window_pattern',
  help: 'Short windows in most layers and the whole context in some, by a pattern such as SSSL; the last layer always sees everything.',
  settings: [
    {
      name: PATTERN,
      type: { kind: 'string' },
      default: 'SSSL',
      help: 'Letters for the layers in turn, from the first: S sees attention.short_window tokens back, L the whole context.',
      question: 'capacity',
      touches: ['memory', 'time'],
    },
    {
      name: SHORT,
      type: { kind: 'int', min: 1, max: 1048576 },
      default: 128,
      unit: 'tokens',
      help: 'How many tokens before its own a token sees in the layers S of attention.pattern.',
      question: 'capacity',
      touches: ['memory', 'time'],
    },
  ],
  derived: [
    {
      setting: SHORT,
      rule: 'model.context / 4, up to a multiple of 128, at most model.context',
      value: (config) => shortWindow(config['model.context'] as number),
    },
  ],
  rules: [
    {
      code: PATTERN,
      settings: [PATTERN],
      severity: 'error',
      check: (config) => {
        const pattern = String(config[PATTERN]);
        if (pattern.length > MOST_LAYERS)
          return problem(
            PATTERN,
            pattern,
            `at most ${MOST_LAYERS} letters, one for each layer`,
            undefined,
            counted(pattern.length, 'character'),
          );
        if (/^[SL]+$/u.test(pattern)) return null;
        // Letters keep their layers: a foreign one becomes S; what only parts them goes.
        const letters = pattern.toUpperCase().replaceAll(/[\s,;|/_-]/gu, '');
        const near = /[SL]/u.test(letters) ? letters.replaceAll(/[^SL]/gu, 'S') : 'SSSL';
        return problem(PATTERN, pattern, 'letters S and L, such as SSSL', near);
      },
    },
    {
      code: 'attention.short_window_in_context',
      settings: [SHORT, 'model.context'],
      severity: 'warning',
      check: (config) => {
        const [short, context] = [config[SHORT] as number, config['model.context'] as number];
        if (short <= context) return null;
        const allowed = `at most model.context ${context}, which the layers S see as a whole`;
        return problem(SHORT, short, allowed, context);
      },
    },
  ],
  mask: (config, { layer, layers }) => {
    const reach = reachOf(config, layer, layers);
    // A window counts the token itself.
    return { window: reach + 1 < (config['model.context'] as number) ? reach + 1 : 0 };
  },
});
