/** Bytes by category, in one order and one colour for good, so that two plans can be compared by eye. */
import type { FitPlan } from '../../../../preload/contract/fit.ts';
import { isSteady } from '../../../../preload/shared/fitStages.ts';

export { isSteady };

export interface Part {
  readonly name: string;
  readonly bytes: number;
  /** Index of the data colours; null: not data of the model (the process, gaps). */
  readonly color: number | null;
}

/** From what stays to what comes and goes. Names as the plan has them; others follow in order of size. */
const ORDER: readonly (readonly [RegExp, number])[] = [
  [/^parameters$/u, 0],
  [/^working copies|^weight copies/u, 5],
  [/^gradients$/u, 4],
  [/^optimizer/u, 2],
  [/^(saved )?activations|^saved/u, 1],
  [/^logits/u, 3],
  [/^activation gradients/u, 9],
  [/^weight gradients/u, 6],
  [/^temporar|^scratch/u, 7],
  [/^inputs/u, 8],
];

const placeIn = (name: string): number => {
  const at = ORDER.findIndex(([pattern]) => pattern.test(name));
  return at < 0 ? ORDER.length : at;
};

export function partsOf(byCategory: Readonly<Record<string, number>>, besides: readonly string[]): Part[] {
  return Object.entries(byCategory)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => {
      const place = placeIn(name);
      const outside = besides.includes(name) || name.startsWith('gaps');
      const process = outside || name.startsWith('workspace');
      return { name, bytes, place: process ? 100 : place, color: process ? null : (ORDER[place]?.[1] ?? 8) };
    })
    .sort((a, b) => a.place - b.place || b.bytes - a.bytes)
    .map(({ name, bytes, color }) => ({ name, bytes, color }));
}

export interface Layer {
  readonly layer: string;
  readonly persistentBytes: number;
  readonly temporaryBytes: number;
}

/** Runs of equal blocks as one row ("blocks 1–10, each"), so that twelve equal bars become one. */
export function foldLayers(layers: readonly Layer[]): (Layer & { readonly times: number })[] {
  const folded: (Layer & { times: number; last: string })[] = [];
  for (const layer of layers) {
    const before = folded.at(-1);
    const block = /^block (\d+)$/u.exec(layer.layer);
    const earlier = before === undefined ? null : /^block (\d+)$/u.exec(before.last);
    const equal =
      before !== undefined &&
      before.persistentBytes === layer.persistentBytes &&
      before.temporaryBytes === layer.temporaryBytes;
    if (
      before !== undefined &&
      block !== null &&
      earlier !== null &&
      equal &&
      Number(block[1]) === Number(earlier[1]) + 1
    ) {
      before.times += 1;
      before.last = layer.layer;
    } else folded.push({ ...layer, times: 1, last: layer.layer });
  }
  return folded.map(({ last, layer, times, ...bytes }) => ({
    ...bytes,
    times,
    layer: times === 1 ? layer : `blocks ${layer.replace('block ', '')}–${last.replace('block ', '')}, each`,
  }));
}

/** `256 = 48 × 5 + 16` for people: how an effective batch is made of micro-batches. */
export function batchSentence(sequences: number, micro: number): string {
  const times = Math.floor(sequences / micro);
  const rest = sequences - times * micro;
  if (times === 1 && rest === 0) return `${sequences} at once`;
  return `${sequences} = ${micro} × ${times}${rest > 0 ? ` + ${rest}` : ''}`;
}

/** What a largest micro-batch is a part of. Of batches that change it is a number of tokens, said as sequences of the whole context. */
export const largestSentence = ({ sequences, stages }: Pick<FitPlan, 'sequences' | 'stages'>, micro: number): string =>
  isSteady(stages)
    ? `effective ${batchSentence(sequences, micro)}`
    : 'of the whole context, or as many tokens of shorter ones';
