/** Colours of the frame around the data, from the tokens; follows the theme. */
import { computed } from 'vue';
import { theme, token } from '../../stores/theme.ts';
import type { ChartTheme } from '../../../preload/charts/draw/model.ts';

export const chartTheme = computed<ChartTheme>(() => {
  void theme.value;
  return {
    surface: token('--surface-1'),
    line: token('--line'),
    text: token('--text'),
    muted: token('--text-muted'),
    accent: token('--accent'),
    bad: token('--bad'),
    font: "'Inter Variable', sans-serif",
  };
});
