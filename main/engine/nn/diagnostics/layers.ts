/** The layers of a model: whatever it builds within `block.N`. */

const LAYER = /^block\.(\d+)(?:\.|$)/u;

/** From 0; undefined for what belongs to none. */
export function layerOf(scope: string): number | undefined {
  const [, layer] = LAYER.exec(scope) ?? [];
  return layer === undefined ? undefined : Number(layer);
}
