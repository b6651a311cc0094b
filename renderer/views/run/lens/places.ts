/** A metric of all layers (or heads, or classes of tokens) as rows that can be drawn and judged. */
import type { PlacedPoints, PlaceKind } from '../../../../preload/contract/metrics.ts';
import { PLACE_KINDS } from '../../../../preload/shared/placeKinds.ts';
import { meanOf, sortedFinite } from '../../../../preload/shared/statistics/describe.ts';

export interface LayerRow {
  /** First number of the place (preload/shared/metricPlace.ts). */
  readonly layer: number;
  /** Undefined for the layer as a whole, or the mean over its heads. */
  readonly head?: number;
  /** One per step; NaN where nothing was measured. */
  readonly values: Float64Array;
}

export interface LayerTable {
  readonly step: Float64Array;
  readonly rows: readonly LayerRow[];
}

/** How the heads of a layer are shown: each by itself, or one number for all. */
export const HEADS = ['mean', 'lowest', 'highest', 'each'] as const;
export type Heads = (typeof HEADS)[number];

const OF_ALL: Readonly<Record<Exclude<Heads, 'each'>, (values: readonly number[]) => number>> = {
  mean: meanOf,
  lowest: (values) => Math.min(...values),
  highest: (values) => Math.max(...values),
};

export function tableOf({ layer, head, step, value }: PlacedPoints, heads: Heads = 'mean'): LayerTable {
  const each = Array.from(layer, (own, i): LayerRow => {
    const values = value.subarray(i * step.length, (i + 1) * step.length);
    return { layer: own, ...(head[i]! < 0 ? {} : { head: head[i]! }), values };
  });
  if (heads === 'each' || each.every((row) => row.head === undefined)) return { step, rows: each };
  const byLayer = Map.groupBy(each, (row) => row.layer);
  const rows = [...byLayer].map(([own, members]): LayerRow => ({
    layer: own,
    values: Float64Array.from(step, (_, i) => {
      const known = sortedFinite(members.map(({ values }) => values[i]!));
      return known.length === 0 ? Number.NaN : OF_ALL[heads]([...known]);
    }),
  }));
  return { step, rows };
}

export const rowName = ({ layer, head }: Pick<LayerRow, 'layer' | 'head'>, by: PlaceKind): string =>
  PLACE_KINDS[by].word(layer, head);
