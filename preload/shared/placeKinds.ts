/** What the places of a metric are (`by` of its declaration): which of them there are, and what they are called. */
import type { PlaceKind } from '../contract/metrics.ts';
import type { Config } from '../contract/settings.ts';
import { formatInteger } from './format.ts';
import type { MetricPlace } from './metricPlace.ts';

interface PlaceFacts {
  /** All of them: the axis of a chart over places. */
  readonly axis: string;
  /** Of several: `layers 0, 3`. */
  readonly many: string;
  /** They lie apart by factors: the axis of a chart over them is logarithmic. */
  readonly byFactors?: true;
  /** Nothing is said of the whole by one of them: a chart shows the metric over its places rather than over steps. */
  readonly overPlaces?: true;
  /** Of each layer: `heads`, `experts`. */
  readonly parts?: string;
  /** In words. */
  word(layer: number, head?: number): string;
  /** First numbers of the places that a run has. */
  layers(config: Config): readonly number[];
  /** Second numbers, of each of them. */
  heads?(config: Config): number;
}

const settingOf = (config: Config, name: string, otherwise: number): number =>
  typeof config[name] === 'number' ? config[name] : otherwise;

const layersOf = (config: Config): number[] =>
  Array.from({ length: Math.max(1, settingOf(config, 'model.depth', 1)) }, (_, i) => i);

const partsOfLayers = (part: string, setting: string): PlaceFacts => ({
  axis: 'layer',
  many: 'layers',
  parts: `${part}s`,
  word: (layer, head) => (head === undefined ? `layer ${layer}` : `layer ${layer}, ${part} ${head}`),
  layers: layersOf,
  heads: (config) => Math.max(1, settingOf(config, setting, 1)),
});

/** first, first·factor, … up to the first that is not below `most`. */
function steps(first: number, factor: number, most: number): number[] {
  const found = [first];
  while (found.at(-1)! < most) found.push(found.at(-1)! * factor);
  return found;
}

/** What lies behind one place and up to the next. */
const between = (before: number, place: number): string =>
  before + 1 === place ? formatInteger(place) : `${formatInteger(before + 1)}–${formatInteger(place)}`;

/** Tokens up to a position of the row: places are 1, 2, 4, 8, …, each of the tokens after the place before. */
const POSITIONS = 2;
/** Ranks up to 10, 100, … in the training text. */
const RANKS = 10;
/** The place of tokens that were not met there. */
export const NOT_MET = 0;

export const PLACE_KINDS: Readonly<Record<PlaceKind, PlaceFacts>> = {
  layer: { axis: 'layer', many: 'layers', word: (layer) => `layer ${layer}`, layers: layersOf },
  head: partsOfLayers('head', 'model.heads'),
  expert: partsOfLayers('expert', 'model.experts'),
  position: {
    axis: 'position in the context, tokens',
    many: 'positions',
    byFactors: true,
    overPlaces: true,
    word: (place) => between(Math.floor(place / POSITIONS), place),
    layers: (config) => steps(1, POSITIONS, settingOf(config, 'model.context', 1)),
  },
  frequency: {
    axis: 'rank of the token in the training text',
    many: 'ranks',
    byFactors: true,
    overPlaces: true,
    word: (place) => (place === NOT_MET ? 'not met' : between(place > RANKS ? place / RANKS : 0, place)),
    // A tokenizer that does not say how many it knows has no more than a hundred thousand.
    layers: (config) => steps(RANKS, RANKS, settingOf(config, 'tokenizer.vocabulary', 100_000)),
  },
};

/** The place of a token in its row, from 0: by how many tokens it is predicted from. */
export const placeOfPosition = (index: number): number => POSITIONS ** (32 - Math.clz32(index));

/** The place of a token that is the n-th most frequent, from 0. */
export const placeOfRank = (index: number): number => RANKS ** String(index).length;

/** `loss_by_position, 5–8`, as `layer_grad_norm[3]` is said; any other name as it is. */
export const placedName = ({ name, layer, head }: MetricPlace, by: PlaceKind | undefined): string => {
  if (layer === undefined) return name;
  if (by === undefined) return `${name}[${layer}${head === undefined ? '' : `,${head}`}]`;
  return `${name}, ${PLACE_KINDS[by].word(layer, head)}`;
};
