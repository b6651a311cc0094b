/** The layers of a gpt one by one: widths of their own, and settings of their own. */
import type { Config, SettingSpec, SettingValue } from '../../../../preload/contract/settings.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { parseValue } from '../../../../preload/shared/settings/values.ts';
import { gptSettings } from './gpt.settings.ts';
import { deriveModel, roundMlpWidth } from './gpt.dimensions.ts';
import type { ModelDimensions } from './gpt.dimensions.ts';
import { listedWidths } from './widths.ts';

export const PER_LAYER = 'model.per_layer';

/** What a layer may have of its own. */
const OWN: readonly SettingSpec[] = [
  'heads',
  'kv_heads',
  'head_size',
  'attention_width',
  'mlp',
  'mlp_ratio',
  'mlp_width',
  'attention_softcap',
  'qk_norm',
].map(
  (name) => gptSettings.find((entry) => typeof entry !== 'string' && entry.name === `model.${name}`) as SettingSpec,
);

export const isPerLayer = (setting: string): boolean => OWN.some(({ name }) => name === setting);

const ownName = ({ name }: SettingSpec): string => name.slice('model.'.length);

/** Settings of the layers from `first` to `last`, counted from 0. */
export interface LayerSettings {
  readonly first: number;
  readonly last: number;
  readonly values: Config;
}

export interface Wrong {
  /** What can stand there, in words. */
  readonly allowed: string;
  /** The whole text with the mistake mended, where there is a way. */
  readonly nearest?: string;
}

export type ParsedLayers =
  | { readonly entries: readonly LayerSettings[]; readonly wrong?: undefined }
  | { readonly wrong: Wrong };

const FORM = 'layers and their settings, such as 0: heads=2; 3-5: mlp=relu mlp_width=256';

/** Layers of a part such as `3-5: mlp=relu`, or what is wrong with it. `mend` puts a better part in its place. */
function parsePart(part: string, mend: (better: string) => string): LayerSettings | Wrong {
  const [, from, to, rest] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?:\s*(.*\S)\s*$/u.exec(part) ?? [];
  if (from === undefined) {
    const colon = /^(\s*\d+(?:\s*-\s*\d+)?)(\s+\w+=)/u;
    return { allowed: FORM, ...(colon.test(part) ? { nearest: mend(part.replace(colon, '$1:$2')) } : {}) };
  }
  const [first, last] = [Number(from), Number(to ?? from)];
  if (last < first)
    return {
      allowed: 'ranges from a lower to a higher layer',
      nearest: mend(part.replace(`${from}-${to}`, `${to}-${from}`)),
    };
  const values: Record<string, SettingValue> = {};
  for (const word of rest!.split(/[\s,]+/u)) {
    const [name = '', ...given] = word.split('=');
    const spec = OWN.find((each) => ownName(each) === name);
    if (spec === undefined) {
      const near = nearestName(name, OWN.map(ownName));
      return {
        allowed: `${OWN.map(ownName).join(', ')} for single layers`,
        ...(near === undefined ? {} : { nearest: mend(part.replace(name, near)) }),
      };
    }
    const parsed = parseValue(spec, given.join('='));
    if (parsed.problem !== undefined) {
      const { allowed, nearest } = parsed.problem;
      return {
        allowed: `${name}: ${allowed}`,
        ...(nearest === undefined ? {} : { nearest: mend(part.replace(word, `${name}=${nearest}`)) }),
      };
    }
    values[spec.name] = parsed.value;
  }
  return { first, last, values };
}

/** `model.per_layer`, read. */
export function parseLayers(text: string): ParsedLayers {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  const entries: LayerSettings[] = [];
  for (const [i, part] of parts.entries()) {
    const found = parsePart(part, (better) => parts.with(i, better).join(';').trim());
    if ('allowed' in found) return { wrong: found };
    entries.push(found);
  }
  return { entries };
}

/** The text with one setting of one layer changed: where it is given, else at the end. */
export function mendLayer(text: string, layer: number, name: string, value: SettingValue): string {
  const parts = text.split(';').filter((part) => part.trim() !== '');
  const own = name.slice('model.'.length);
  const at = parts.findLastIndex((part) => {
    const read = parsePart(part, String);
    return 'values' in read && read.first <= layer && layer <= read.last && name in read.values;
  });
  if (at < 0) return [...parts, ` ${layer}: ${own}=${value}`].join(';').trim();
  const word = new RegExp(String.raw`(?<![\w])${own}=[^\s,]+`, 'u');
  return parts
    .with(at, parts[at]!.replace(word, `${own}=${value}`))
    .join(';')
    .trim();
}

/** The text with layers that do not exist left out. */
export function withinDepth(text: string, depth: number): string {
  const clamp = (layer: string): string => String(Math.min(Number(layer), depth - 1));
  return text.replaceAll(
    /(^|;)(\s*)(\d+)(?:(\s*-\s*)(\d+))?(\s*:)/gu,
    (_, start: string, space: string, from: string, dash: string | undefined, to: string | undefined, colon: string) =>
      `${start}${space}${clamp(from)}${to === undefined || clamp(from) === clamp(to) ? '' : `${dash}${clamp(to)}`}${colon}`,
  );
}

/** The configuration as a layer sees it: later entries of `model.per_layer` go before earlier ones. */
export function layerConfig(config: Config, layer: number): Config {
  const parsed = parseLayers(String(config[PER_LAYER]));
  const own = Object.assign(
    {},
    ...(parsed.wrong === undefined ? parsed.entries : [])
      .filter(({ first, last }) => first <= layer && layer <= last)
      .map(({ values }) => values),
  ) as Config;
  if (Object.keys(own).length === 0) return config;
  return new Proxy(config, { get: (target, name: string) => own[name] ?? target[name] });
}

/** Width of the residual stream before each layer and after the last: `model.depth` + 1 numbers. */
export function gptWidths(config: Config): readonly number[] {
  const width = config['model.width'] as number;
  const listed = listedWidths(config);
  if (listed.length > 0) return [width, ...listed, width];
  return Array.from({ length: (config['model.depth'] as number) + 1 }, () => width);
}

/** What a layer is made from: its own settings, and the width of what it takes in. */
export function layerIn(config: Config, layer: number): Config {
  const own = layerConfig(config, layer);
  const width = gptWidths(config)[layer]!;
  if (width === own['model.width']) return own;
  return new Proxy(own, { get: (target, name: string) => (name === 'model.width' ? width : target[name]) });
}

/** Sizes of a layer: attention is made from the width that comes in, and everything ends in the width that goes out. */
export function layerSizes(config: Config, layer: number): ModelDimensions {
  const own = layerIn(config, layer);
  const sizes = deriveModel(own);
  const width = gptWidths(config)[layer + 1]!;
  if (width === sizes.width) return sizes;
  const mlpWidth = (own['model.mlp_width'] as number) || roundMlpWidth(own['model.mlp_ratio'] as number, width);
  return { ...sizes, width, mlpWidth };
}
