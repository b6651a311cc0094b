/** Which cards the window shows, by their `data-name`. */
import { onBeforeUnmount, watch } from 'vue';
import type { Ref } from 'vue';

/** About a window full. */
const AT_FIRST = 9;

/**
 * @param list whose children are watched, again whenever `names` changes
 * @returns a set that is kept up; the first ones until the browser has looked
 */
export function useInSight(
  list: Readonly<Ref<HTMLElement | null>>,
  names: () => readonly string[],
): ReadonlySet<string> {
  const inSight = new Set<string>();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const name = (target as HTMLElement).dataset.name ?? '';
      if (isIntersecting) inSight.add(name);
      else inSight.delete(name);
    }
  });
  watch(
    names,
    (all) => {
      for (const name of all.slice(0, AT_FIRST)) inSight.add(name);
      observer.disconnect();
      for (const child of list.value?.children ?? []) observer.observe(child);
    },
    { flush: 'post' },
  );
  onBeforeUnmount(() => observer.disconnect());
  return inSight;
}
