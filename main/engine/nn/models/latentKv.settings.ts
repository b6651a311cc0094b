/** Keys and values from a latent: settings, rule and default. */
import { counted } from '../../../../preload/shared/format.ts';
import type { Config, SettingSpec } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { DerivedDefault } from '../../kind.ts';

export const ROPE = 'model.rope_size';

export const latentKvSettings: readonly SettingSpec[] = [
  {
    name: 'model.kv_latent',
    type: { kind: 'int', min: 0, max: 65536 },
    default: 0,
    help: 'Keys and values are made from a latent of so many features (multi-head latent attention), which is all that a cache keeps; 0 is off.',
    question: 'capacity',
    touches: ['memory', 'time', 'stability'],
  },
  {
    name: ROPE,
    type: { kind: 'int', min: 2, max: 4096 },
    default: 16,
    help: 'Features of the rotary key that all heads share beside a latent: rotations cannot pass through it.',
    question: 'capacity',
    touches: ['memory', 'time'],
    when: 'model.kv_latent > 0 && model.positions == "rotary"',
  },
];

/** What the size of keys and values follows from. */
const HEAD_SETTINGS = ['model.heads', 'model.kv_heads', 'model.head_size', 'model.attention_width', 'model.width'];

const usesRope = (config: Config): boolean =>
  (config['model.kv_latent'] as number) > 0 && config['model.positions'] === 'rotary';

/** Half a head, as an even number; undefined where there are no rotary keys beside a latent. */
export function halfAHead(config: Config): number | undefined {
  if (!usesRope(config)) return undefined;
  const size =
    (config['model.head_size'] as number) || (config['model.width'] as number) / (config['model.heads'] as number);
  return Math.max(2, 2 * Math.round(size / 4));
}

export const ropeOfHalfAHead: DerivedDefault = {
  setting: ROPE,
  rule: 'half of model.width / model.heads, an even number',
  value: halfAHead,
};

export const ropeSizeEven: Rule = {
  code: 'model.rope_size_even',
  settings: [ROPE, 'model.kv_latent', 'model.positions'],
  severity: 'error',
  check: (config) => {
    const size = config[ROPE] as number;
    if (!usesRope(config) || size % 2 === 0) return null;
    return problem(ROPE, size, 'an even number: rotary positions turn pairs of features', size + 1);
  },
};

/** A latent that is as wide as what it replaces costs products and saves nothing: allowed, but said. */
export const latentSaves: Rule = {
  code: 'model.kv_latent_saves',
  settings: ['model.kv_latent', ROPE, 'model.positions', ...HEAD_SETTINGS],
  severity: 'warning',
  check: (config) => {
    const rank = config['model.kv_latent'] as number;
    const heads = config['model.heads'] as number;
    const kvHeads = (config['model.kv_heads'] as number) || heads;
    const between = (config['model.attention_width'] as number) || (config['model.width'] as number);
    const size = (config['model.head_size'] as number) || between / heads;
    const replaced = 2 * kvHeads * size;
    const rope = usesRope(config) ? (config[ROPE] as number) : 0;
    if (rank === 0 || !Number.isInteger(size) || rank + rope < replaced) return null;
    const latent = rope > 0 ? `${rank} + model.rope_size ${rope} = ${rank + rope}` : String(rank);
    const why = `a cache would keep ${latent} numbers of each token and layer; keys and values of ${counted(kvHeads, 'head')} are 2 × ${kvHeads} × ${size} = ${replaced}`;
    const most = Math.max(0, replaced - rope - 1);
    return problem(
      'model.kv_latent',
      rank,
      most > 0 ? `at most ${most} to save memory, or 0 (off)` : '0 (off)',
      most,
      why,
    );
  },
};
