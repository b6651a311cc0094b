/** How this person likes to work on this screen. Kept in the browser: it is not a property of the experiments. */
import { defineStore } from 'pinia';
import { reactive, toRefs, watch } from 'vue';

export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  density: 'normal' | 'compact';
  motion: 'system' | 'reduced';
  listOpen: boolean;
  inspectorOpen: boolean;
  /** px. */
  listWidth: number;
}

const KEY = 'sweeplab.preferences';

export const DEFAULTS: Preferences = {
  theme: 'system',
  density: 'normal',
  motion: 'system',
  listOpen: true,
  inspectorOpen: true,
  listWidth: 280,
};

const CHOICES: { readonly [K in keyof Preferences]?: readonly Preferences[K][] } = {
  theme: ['system', 'light', 'dark'],
  density: ['normal', 'compact'],
  motion: ['system', 'reduced'],
};

/** Stored text → preferences. What is missing, of another type or unknown gets its default. */
export function readPreferences(text: string | null): Preferences {
  let stored: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) stored = parsed as Record<string, unknown>;
  } catch {
    // Written by something else: the defaults serve.
  }
  const result: Record<string, unknown> = { ...DEFAULTS };
  for (const [key, fallback] of Object.entries(DEFAULTS)) {
    const value = stored[key];
    const allowed = CHOICES[key as keyof Preferences] as readonly unknown[] | undefined;
    if (typeof value === typeof fallback && (allowed === undefined || allowed.includes(value))) result[key] = value;
  }
  result.listWidth = Math.min(560, Math.max(200, result.listWidth as number));
  return result as unknown as Preferences;
}

/** Where a browser keeps things for a page. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Storage can be denied (private windows): preferences then last as long as the page. */
export function shelf(): Shelf | null {
  try {
    return (globalThis as { localStorage?: Shelf }).localStorage ?? null;
  } catch {
    return null;
  }
}

export const usePreferences = defineStore('preferences', () => {
  const storage = shelf();
  const state = reactive(readPreferences(storage?.getItem(KEY) ?? null));
  watch(
    state,
    () => {
      try {
        storage?.setItem(KEY, JSON.stringify(state));
      } catch {
        // Full or denied.
      }
    },
    { deep: true },
  );
  return toRefs(state);
});
