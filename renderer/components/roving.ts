/** One stop of the Tab key for a whole list: the row that had the focus last. Arrows, Home and End go through the others. */
import { computed, ref } from 'vue';
import type { ComputedRef } from 'vue';

export interface Roving {
  /** `tabindex` of a row. */
  readonly tabindex: (key: string) => 0 | -1;
  /** To be told when a row gets the focus. */
  readonly touch: (key: string) => void;
  /** Which row a key leads to, from the row of `key`; undefined for other keys. */
  readonly target: (event: Pick<KeyboardEvent, 'key'>, key: string) => string | undefined;
}

/** How far Page up and Page down go. */
const PAGE = 10;

/**
 * @param keys of all rows, in their order
 * @param mounted of those that are on the page, where not all are: the stop must be one of them
 */
export function useRoving(keys: () => readonly string[], mounted: () => readonly string[] = keys): Roving {
  const last = ref<string>();
  const stop: ComputedRef<string | undefined> = computed(() => {
    const there = mounted();
    return last.value !== undefined && there.includes(last.value) ? last.value : there[0];
  });
  return {
    tabindex: (key) => (key === stop.value ? 0 : -1),
    touch: (key) => (last.value = key),
    target: ({ key: pressed }, key) => {
      const all = keys();
      const at = all.indexOf(key);
      const to = {
        ArrowDown: at + 1,
        ArrowUp: at - 1,
        PageDown: at + PAGE,
        PageUp: at - PAGE,
        Home: 0,
        End: all.length - 1,
      }[pressed];
      return to === undefined ? undefined : all[Math.max(0, Math.min(all.length - 1, to))];
    },
  };
}
