/** Short messages at the lower edge, with an undo where something was changed. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

export interface Toast {
  readonly id: number;
  readonly level: 'info' | 'good' | 'warn' | 'bad';
  readonly message: string;
  /** What it is about: a later message about the same takes its place, so that the end of a sweep replaces its beginning. */
  readonly about?: string;
  /** Shown on demand, and what the copy button copies. */
  readonly details?: string;
  readonly action?: { readonly label: string; readonly run: () => unknown };
  /** ms; null stays until closed. */
  readonly duration: number | null;
}

export type NewToast = Partial<Omit<Toast, 'id'>> & { readonly message: string };

const USUAL = 6000;
const MOST = 4;

export const useToasts = defineStore('toasts', () => {
  const toasts = ref<Toast[]>([]);
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  let next = 1;

  function close(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }

  /** Starts the time to live, again after the pointer has left. */
  function release(id: number): void {
    const toast = toasts.value.find((each) => each.id === id);
    if (toast?.duration !== null && toast?.duration !== undefined) {
      clearTimeout(timers.get(id));
      timers.set(
        id,
        setTimeout(() => close(id), toast.duration),
      );
    }
  }

  /** While someone reads it. */
  function hold(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
  }

  function show(toast: NewToast): number {
    const level = toast.level ?? 'info';
    // The same message twice tells nothing new.
    const same = toasts.value.find((each) => each.message === toast.message && each.level === level);
    if (same !== undefined && toast.action === undefined) {
      release(same.id);
      return same.id;
    }
    for (const old of toasts.value) if (toast.about !== undefined && old.about === toast.about) close(old.id);
    const id = next++;
    // Errors stay: they may need to be copied.
    toasts.value = [...toasts.value, { level, duration: level === 'bad' ? null : USUAL, ...toast, id }];
    for (const old of toasts.value.slice(0, -MOST)) close(old.id);
    release(id);
    return id;
  }

  /** An error of a call, in words. Aborted calls are nobody's business. */
  function fail(what: string, error: unknown): void {
    const { name, message, details, code, stack } = error as Error & { details?: unknown; code?: string };
    if (name === 'AbortError' || code === 'cancelled') return;
    const more = details === undefined ? (code === undefined ? stack : code) : JSON.stringify(details, null, 2);
    show({ level: 'bad', message: `${what}: ${message}`, details: more });
  }

  /** Says what was done and offers to take it back. `about`: what it was done to, where only the last change of it needs a message. */
  function undoable(message: string, undo: () => unknown, about?: string): void {
    const toast = { level: 'info', message, duration: 10_000, action: { label: 'Undo', run: undo } } as const;
    show(about === undefined ? toast : { ...toast, about });
  }

  return { toasts, show, close, hold, release, fail, undoable };
});
