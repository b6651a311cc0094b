/** Puts theme, density and motion on the root element, where the tokens read them. */
import { ref, watchEffect } from 'vue';
import type { Ref } from 'vue';
import { usePreferences } from './preferences.ts';

/** The theme in force. Charts on a canvas watch it and read the tokens again. */
export const theme: Ref<'light' | 'dark'> = ref('light');
export const reducedMotion = ref(false);

export function startTheme(): void {
  const preferences = usePreferences();
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const still = window.matchMedia('(prefers-reduced-motion: reduce)');
  const systemDark = ref(dark.matches);
  const systemStill = ref(still.matches);
  dark.addEventListener('change', (event) => (systemDark.value = event.matches));
  still.addEventListener('change', (event) => (systemStill.value = event.matches));
  watchEffect(
    () => {
      const root = document.documentElement;
      theme.value = preferences.theme === 'system' ? (systemDark.value ? 'dark' : 'light') : preferences.theme;
      reducedMotion.value = preferences.motion === 'reduced' || (preferences.motion === 'system' && systemStill.value);
      root.dataset.theme = theme.value;
      root.dataset.density = preferences.density;
      root.dataset.motion = reducedMotion.value ? 'reduced' : 'full';
    },
    { flush: 'sync' },
  );
}

/** The value of a token as a colour that a canvas understands, for example `token('--accent')`. */
export function token(name: string): string {
  // Read through `theme`, so that a computed that calls this follows it.
  void theme.value;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
