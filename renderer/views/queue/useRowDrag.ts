/**
 * Rows of a list that scrolls, dragged by the pointer. The list itself holds the pointer, since the row may leave the page while the list
 * scrolls beneath it.
 */
import { onBeforeUnmount, shallowRef } from 'vue';
import type { Ref } from 'vue';

export interface Drag<R> {
  readonly row: R;
  /** Above which row it would land. */
  readonly target: number;
}

export interface RowDrag<R> {
  /** Null while nothing is dragged. */
  readonly drag: Readonly<Ref<Drag<R> | null>>;
  begin(event: PointerEvent, row: R): void;
}

/** Pixels before a press becomes a drag, and from an edge within which the list scrolls. */
const SLACK = 4;
const EDGE = 36;
const PIXELS_PER_FRAME = 14;

export function useRowDrag<R>(options: {
  readonly list: () => HTMLElement | null;
  readonly rowHeight: () => number;
  readonly count: () => number;
  readonly drop: (row: R, target: number) => void;
}): RowDrag<R> {
  const drag = shallowRef<Drag<R> | null>(null);
  let held: { readonly row: R; readonly from: number; y: number } | null = null;
  let frame = 0;
  let release = (): void => undefined;

  function follow(): void {
    const list = options.list();
    if (held === null || list === null) return;
    const { top, bottom } = list.getBoundingClientRect();
    if (drag.value !== null) {
      if (held.y < top + EDGE) list.scrollTop -= PIXELS_PER_FRAME;
      else if (held.y > bottom - EDGE) list.scrollTop += PIXELS_PER_FRAME;
    }
    if (drag.value !== null || Math.abs(held.y - held.from) > SLACK) {
      const at = Math.round((held.y - top + list.scrollTop) / options.rowHeight());
      drag.value = { row: held.row, target: Math.min(options.count(), Math.max(0, at)) };
    }
    frame = requestAnimationFrame(follow);
  }

  function end(done: boolean): void {
    const { value } = drag;
    release();
    cancelAnimationFrame(frame);
    held = null;
    drag.value = null;
    if (done && value !== null) options.drop(value.row, value.target);
  }

  function begin(event: PointerEvent, row: R): void {
    const list = options.list();
    if (list === null || event.button !== 0 || held !== null) return;
    event.preventDefault();
    held = { row, from: event.clientY, y: event.clientY };
    list.setPointerCapture(event.pointerId);
    const stop = new AbortController();
    release = () => stop.abort();
    const { signal } = stop;
    list.addEventListener('pointermove', ({ clientY }) => held !== null && (held.y = clientY), { signal });
    list.addEventListener('pointerup', () => end(true), { signal });
    list.addEventListener('pointercancel', () => end(false), { signal });
    window.addEventListener('keydown', (key) => key.key === 'Escape' && end(false), { signal, capture: true });
    frame = requestAnimationFrame(follow);
  }

  onBeforeUnmount(() => end(false));
  return { drag, begin };
}
