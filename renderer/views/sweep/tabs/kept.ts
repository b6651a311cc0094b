/** Ranges that were kept on a chart of a sweep: the table shows what passes them, and the chart shows them again when it comes back. */
import { inject, provide, shallowRef } from 'vue';
import type { InjectionKey, ShallowRef } from 'vue';
import type { Brush } from '../../../../preload/charts/sweep/brush.ts';

const KEPT: InjectionKey<ShallowRef<Brush>> = Symbol('kept');

export function provideBrush(): ShallowRef<Brush> {
  const brush = shallowRef<Brush>(new Map());
  provide(KEPT, brush);
  return brush;
}

/** Of its own where no page follows it. */
export const useBrush = (): ShallowRef<Brush> => inject(KEPT, () => shallowRef<Brush>(new Map()), true);
