/** The shown part of x in the address, so that a reload or a copied link shows the same. */
import { watch } from 'vue';
import type { ShallowRef } from 'vue';
import { place, setQuery } from '../../frame/router.ts';
import type { Extent } from '../../../preload/charts/series/extent.ts';

export interface Zoom extends Extent {
  /** The x that it is a part of. */
  readonly x: string;
}

/** Finer than a pixel. */
const FIGURES = 7;

export const zoomText = ({ x, min, max }: Zoom): string =>
  [Number(min.toPrecision(FIGURES)), Number(max.toPrecision(FIGURES)), x].join(',');

export function zoomFromText(text: string): Zoom | undefined {
  const found = /^([^,]+),([^,]+),(.+)$/u.exec(text);
  if (found === null) return undefined;
  const [min, max] = [Number(found[1]), Number(found[2])];
  return Number.isFinite(min) && Number.isFinite(max) && min < max ? { x: found[3], min, max } : undefined;
}

/** @param x what is on x; another one has no use for the range of the one before */
export function keepZoom(range: ShallowRef<Extent | undefined>, x: () => string): void {
  let known = '';
  watch(
    [() => place.value.query.zoom ?? '', x] as const,
    ([text, now], [, before]) => {
      if (text === known && now === before) return;
      known = text;
      const zoom = zoomFromText(text);
      range.value = zoom?.x === now ? { min: zoom.min, max: zoom.max } : undefined;
    },
    { immediate: true },
  );
  watch(range, (now) => {
    const text = now === undefined ? '' : zoomText({ x: x(), ...now });
    if (text === known) return;
    known = text;
    setQuery({ zoom: text === '' ? null : text });
  });
}
