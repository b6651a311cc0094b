/**
 * Metrics that have a value for each layer of a model, for each head of each layer, or for each class of tokens (placeKinds.ts) are one metric
 * with places. Wherever a series has one name (batches of points, charts, exports), the place stands behind it in brackets: `layer_grad_norm[3]`,
 * `attention_entropy[3,0]`, `loss_by_position[64]`. The run database keeps name and place apart. Name and address say exactly the same: any other
 * name, with brackets or without, is a name.
 */

export interface MetricPlace {
  readonly name: string;
  /** From 0: the layer, or the last position or rank of a class of tokens. Undefined for a metric of the whole model. */
  readonly layer?: number;
  /** Of the layer, from 0. */
  readonly head?: number;
}

const ADDRESS = /^(.+)\[(0|[1-9]\d{0,6})(?:,(0|[1-9]\d{0,6}))?\]$/su;

export function placeOf(address: string): MetricPlace {
  const [, name, layer, head] = ADDRESS.exec(address) ?? [];
  if (name === undefined) return { name: address };
  return { name, layer: Number(layer), ...(head === undefined ? {} : { head: Number(head) }) };
}

export const addressOf = ({ name, layer, head }: MetricPlace): string =>
  layer === undefined ? name : `${name}[${head === undefined ? layer : `${layer},${head}`}]`;

/** Values by name: those of many places as the largest of them, for lists, which have room for one number of each metric. */
export function largestOfPlaces(values: Iterable<readonly [address: string, value: number]>): Map<string, number> {
  const found = new Map<string, number>();
  const placed = new Map<string, number>();
  for (const [address, value] of values) {
    const { name, layer } = placeOf(address);
    if (layer === undefined) found.set(name, value);
    else placed.set(name, Math.max(placed.get(name) ?? -Infinity, value));
  }
  for (const [name, value] of placed) if (!found.has(name)) found.set(name, value);
  return found;
}
