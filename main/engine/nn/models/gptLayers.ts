/** The layers of a gpt one by one: widths of their own, and settings of their own. */
import type { Config, SettingSpec, SettingValue } from '../../../../preload/contract/settings.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { parseValue } from '../../../../preload/shared/settings/values.ts';
import { changed } from '../../changed.ts';
import { MOST_LAYERS } from '../mostLayers.ts';
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
  /** The whole text with the mistake mended, where there is a way: the nearest first. */
  readonly nearest?: readonly string[];
}

export type ParsedLayers =
  | { readonly entries: readonly LayerSettings[]; readonly wrong?: undefined }
  | { readonly entries?: undefined; readonly wrong: Wrong };

const FORM = 'layers and their settings (LAYER: heads=N, or FROM-TO: mlp=NAME), with semicolons between them';

/** The integers on both sides of a number that is none, or the nearest that is allowed. */
function nearestValues(given: string, nearest: SettingValue | undefined): readonly SettingValue[] {
  if (nearest === undefined) return [];
  const value = Number(given);
  const sides = [Math.floor(value), Math.ceil(value)].filter((side) => Math.abs(side - value) < 1 && side !== nearest);
  return Number.isInteger(value) || Number.isNaN(value) ? [nearest] : [nearest, ...sides];
}

/** What a word such as `heads=2` says, or what is wrong with it; `better` are words that could stand for it. */
function parseWord(
  word: string,
  model: Config | undefined,
): { readonly name: string; readonly value: SettingValue } | { readonly allowed: string; readonly better: string[] } {
  const [name = '', ...given] = word.split('=');
  const spec = OWN.find((each) => ownName(each) === name);
  if (spec === undefined) {
    const near = nearestName(name, OWN.map(ownName));
    const better = near === undefined ? [] : [[near, ...given].join('=')];
    return { allowed: `${OWN.map(ownName).join(', ')} for single layers`, better };
  }
  const parsed = parseValue(spec, given.join('='));
  if (parsed.problem === undefined) return { name: spec.name, value: parsed.value };
  const { allowed, nearest } = parsed.problem;
  const values =
    given.join('').trim() === '' ? [model?.[spec.name] ?? spec.default] : nearestValues(given[0]!, nearest);
  return { allowed: `${name}: ${allowed}`, better: values.map((value) => `${name}=${value}`) };
}

/** What could be meant by a part that does not begin with layers and a colon. */
function betterForm(part: string, model: Config | undefined): string[] {
  const colon = /^(\s*\d+(?:\s*-\s*\d+)?)(\s+\w+=)/u;
  if (colon.test(part)) return [part.replace(colon, '$1:$2')];
  // From the end, as Python counts.
  const fromEnd = /^\s*-\s*(\d+)(?=\s*:\s*\S)/u;
  const depth = model?.['model.depth'];
  if (!fromEnd.test(part) || typeof depth !== 'number') return [];
  return [part.replace(fromEnd, (_, back: string) => String(Math.max(0, depth - Math.max(1, Number(back)))))];
}

/** Layers of a part such as `3-5: mlp=relu`, or what is wrong with it. `mend` puts a better part in its place. */
function parsePart(part: string, mend: (better: string) => string, model?: Config): LayerSettings | Wrong {
  const [, from, to, rest] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?:\s*(.*\S)\s*$/u.exec(part) ?? [];
  if (from === undefined) return { allowed: FORM, nearest: betterForm(part, model).map(mend) };
  const [first, last] = [Number(from), Number(to ?? from)];
  if (last < first)
    return {
      allowed: 'ranges from a lower to a higher layer',
      nearest: [mend(part.replace(`${from}-${to}`, `${to}-${from}`))],
    };
  const values: Record<string, SettingValue> = {};
  for (const word of rest!.split(/[\s,]+/u)) {
    const read = parseWord(word, model);
    if ('allowed' in read)
      return { allowed: read.allowed, nearest: read.better.map((better) => mend(part.replace(word, better))) };
    values[read.name] = read.value;
  }
  return { first, last, values };
}

const partsOf = (text: string): string[] => text.split(';').filter((part) => part.trim() !== '');

/** How many entries a text has, where these are more than a model has layers. */
export function tooManyEntries(text: string): number | undefined {
  const { length } = partsOf(text);
  return length > MOST_LAYERS ? length : undefined;
}
const joined = (parts: readonly string[]): string => parts.join(';').trim();

/** `model.per_layer`, read; `model` is what it belongs to, for what could be meant by what is wrong. */
export function parseLayers(text: string, model?: Config): ParsedLayers {
  const parts = partsOf(text);
  const entries: LayerSettings[] = [];
  for (const [i, part] of parts.entries()) {
    const found = parsePart(part, (better) => joined(parts.with(i, better)), model);
    if ('allowed' in found) return { wrong: found };
    entries.push(found);
  }
  return { entries };
}

/** Something in a readable text that says nothing, and the text without it; undefined where all of it counts. */
export function uncounted(text: string): { readonly why: string; readonly without?: string } | undefined {
  const parts = partsOf(text);
  // A separator at the end parts nothing.
  if (parts.length < text.replace(/;?\s*$/u, '').split(';').length && text.trim() !== '')
    return { why: 'nothing stands before a separator', ...(parts.length > 0 ? { without: joined(parts) } : {}) };
  const { entries = [] } = parseLayers(text) as { readonly entries?: readonly LayerSettings[] };
  for (const [i, entry] of entries.entries()) {
    const layers = entry.first === entry.last ? `layer ${entry.first}` : `layers ${entry.first}-${entry.last}`;
    for (const name of Object.keys(entry.values)) {
      const own = name.slice('model.'.length);
      if (timesIn(parts[i]!, own) > 1)
        return { why: `${own} of ${layers} is given twice`, without: withoutWord(parts, i, own) };
      if (isHidden(entry, name, entries.slice(i + 1)))
        return { why: `${own} of ${layers} is given again by later entries`, without: withoutWord(parts, i, own) };
    }
  }
  return undefined;
}

const wordOf = (own: string): string => String.raw`(?<![\w])${own}=[^\s,]+`;
const timesIn = (part: string, own: string): number => [...part.matchAll(new RegExp(wordOf(own), 'gu'))].length;

/** Whether later entries give a setting anew for all layers of this one. */
function isHidden(entry: LayerSettings, name: string, later: readonly LayerSettings[]): boolean {
  const most = Math.min(entry.last - entry.first + 1, MOST_LAYERS);
  return Array.from({ length: most }, (_, n) => entry.first + n).every((layer) =>
    later.some(({ first, last, values }) => name in values && first <= layer && layer <= last),
  );
}

/** The text without the first word for a setting of an entry, or without the entry where that was all it had. */
function withoutWord(parts: readonly string[], at: number, own: string): string {
  const left = parts[at]!.replace(new RegExp(String.raw`[\s,]*${wordOf(own)}`, 'u'), '');
  return joined(/:\s*$/u.test(left) ? parts.toSpliced(at, 1) : parts.with(at, left.replace(/:[\s,]*/u, ': ')));
}

/** The text with one setting of one layer changed: where it is given, else at the end. */
export function mendLayer(text: string, layer: number, name: string, value: SettingValue): string {
  const parts = partsOf(text);
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

/** The text that was read last: a model asks for each of its layers. */
let lastRead: { readonly text: string; readonly entries: readonly LayerSettings[] } = { text: '', entries: [] };

function entriesOf(text: string): readonly LayerSettings[] {
  if (text !== lastRead.text) lastRead = { text, entries: parseLayers(text).entries ?? [] };
  return lastRead.entries;
}

/** The configuration as a layer sees it: later entries of `model.per_layer` go before earlier ones. */
export function layerConfig(config: Config, layer: number): Config {
  const own = Object.assign(
    {},
    ...entriesOf(String(config[PER_LAYER]))
      .filter(({ first, last }) => first <= layer && layer <= last)
      .map(({ values }) => values),
  ) as Config;
  if (Object.keys(own).length === 0) return config;
  return changed(config, own);
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
  return changed(own, { 'model.width': width });
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
