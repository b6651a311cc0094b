/** What the pointer means, for all charts at once. */
import { shallowRef } from 'vue';
import type { InjectionKey, ShallowRef } from 'vue';

export interface SharedPointer {
  /** Metric of the chart under the pointer; undefined when a row of the run list is. */
  readonly chart?: string;
  readonly x?: number;
  /** Kind of x: charts with another x show no crosshair. */
  readonly xKey?: string;
  /** Line to emphasise. */
  readonly line?: string;
}

export const POINTER: InjectionKey<ShallowRef<SharedPointer>> = Symbol('pointer');

export const newPointer = (): ShallowRef<SharedPointer> => shallowRef({});
