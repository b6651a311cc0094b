/** The frame around the data where there is no page to take its colours from. The same values as renderer/tokens/tokens.css. */
import type { Surface } from '../color/palette.ts';
import type { ChartTheme } from './model.ts';

const FONT = "'Inter Variable', Inter, sans-serif";

export const THEMES: Readonly<Record<Surface, ChartTheme>> = {
  light: {
    surface: '#ffffff',
    line: '#dfe3e8',
    text: '#353b45',
    muted: '#5c6570',
    accent: '#2563eb',
    bad: '#b91c1c',
    font: FONT,
  },
  dark: {
    surface: '#161920',
    line: '#2a2f3a',
    text: '#cdd3dc',
    muted: '#8f99a7',
    accent: '#6ea0ff',
    bad: '#f87171',
    font: FONT,
  },
};
