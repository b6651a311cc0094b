/** The way back through a layout: what was shown before each change. Changes in quick succession (a dragged slider) are one. */
import { computed, shallowRef } from 'vue';
import type { ComputedRef } from 'vue';

/** Changes that follow each other faster than this (ms) are taken back together. */
const TOGETHER = 700;
const MOST = 50;

export interface History {
  /** Call after each change, with how it looks now. */
  record(now: string, at: number): void;
  /** Forgets the past: another layout was opened. */
  restart(now: string): void;
  /** How it looked before the last change; undefined when nothing was changed. */
  undo(): string | undefined;
  readonly canUndo: ComputedRef<boolean>;
}

export function layoutHistory(): History {
  const past = shallowRef<readonly string[]>([]);
  let present = '';
  let changedAt = -Infinity;
  return {
    record(now, at) {
      if (now === present) return;
      if (at - changedAt > TOGETHER || past.value.length === 0) past.value = [...past.value, present].slice(-MOST);
      present = now;
      changedAt = at;
    },
    restart(now) {
      past.value = [];
      present = now;
      changedAt = -Infinity;
    },
    undo() {
      const before = past.value.at(-1);
      if (before === undefined) return undefined;
      past.value = past.value.slice(0, -1);
      present = before;
      changedAt = -Infinity;
      return before;
    },
    canUndo: computed(() => past.value.length > 0),
  };
}
