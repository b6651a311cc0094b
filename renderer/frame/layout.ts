/**
 * Regions of the frame beside the content: the list at the left and the inspector at the right. A view fills them by
 * rendering `<ListPanel>` or `<InspectorPanel>`; the frame decides whether they are columns, a popover or a drawer.
 */
import { computed, ref, watch } from 'vue';
import { usePreferences } from '../stores/preferences.ts';

/** Wide: three columns. Middle (< 1000 px): drawer and popover. Narrow (< 700 px): the rail moves to the bottom. */
export const MIDDLE = 1000;
export const NARROW = 700;

const width = ref(typeof window === 'undefined' ? 1440 : window.innerWidth);
if (typeof window !== 'undefined') {
  window.addEventListener('resize', () => {
    width.value = window.innerWidth;
  });
}

/** How many views fill a region now. More than one only while views change places. */
const lists = ref(0);
const inspectors = ref(0);
const listFloats = ref(false);
const inspectorFloats = ref(false);
const listLabel = ref('List');

/** Title bar: the parts of where the user is, set by the view through `useTrail`. */
export interface TrailPart {
  readonly label: string;
  readonly path?: string;
}
const trail = ref<readonly TrailPart[]>([]);

export function useLayout() {
  const preferences = usePreferences();
  const middle = computed(() => width.value < MIDDLE);
  const narrow = computed(() => width.value < NARROW);
  const hasList = computed(() => lists.value > 0);
  const hasInspector = computed(() => inspectors.value > 0);
  const listShown = computed(() => hasList.value && (middle.value ? listFloats.value : preferences.listOpen));
  const inspectorShown = computed(
    () => hasInspector.value && (middle.value ? inspectorFloats.value : preferences.inspectorOpen),
  );

  function toggleList(to?: boolean): void {
    if (middle.value) listFloats.value = to ?? !listFloats.value;
    else preferences.listOpen = to ?? !preferences.listOpen;
  }
  function toggleInspector(to?: boolean): void {
    if (middle.value) inspectorFloats.value = to ?? !inspectorFloats.value;
    else preferences.inspectorOpen = to ?? !preferences.inspectorOpen;
  }
  return {
    width,
    middle,
    narrow,
    hasList,
    hasInspector,
    listShown,
    inspectorShown,
    listLabel,
    toggleList,
    toggleInspector,
    trail,
  };
}

/** Called by the panels. Returns the function that gives the region back. */
export function claim(region: 'list' | 'inspector', label?: string): () => void {
  const count = region === 'list' ? lists : inspectors;
  count.value += 1;
  if (region === 'list' && label !== undefined) listLabel.value = label;
  return () => {
    count.value -= 1;
    if (count.value > 0) return;
    if (region === 'list') listFloats.value = false;
    else inspectorFloats.value = false;
  };
}

/** Where the user is, for the title bar: `useTrail(() => [{ label: 'Sweeps', path: '/sweeps' }, { label: sweep.name }])`. */
export function useTrail(parts: () => readonly TrailPart[]): void {
  watch(
    parts,
    (now) => {
      trail.value = now;
    },
    { immediate: true, deep: true },
  );
}
