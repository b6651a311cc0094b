/** What a board shows and how: kept per sweep, and in the address so that a copied link shows the same. */
import type { Band } from '../../charts/stats/describe.ts';
import { BANDS } from '../../charts/stats/describe.ts';

export interface ChartOverride {
  yLog?: boolean;
  smoothing?: number;
  outliers?: boolean;
  large?: boolean;
  pinned?: boolean;
  hidden?: boolean;
}

export interface BoardState {
  /** `step`, a metric such as `tokens`, `relative`, or `setting:NAME`. */
  x: string;
  xLog: boolean;
  yLog: boolean;
  smoothing: number;
  outliers: boolean;
  /** `none`, `setting` (all settings: seeds together), or the name of a setting. */
  groupBy: string;
  /** `group`, `distance`, or the name of a setting. */
  colorBy: string;
  band: Band;
  /** Run ids that are not drawn. */
  hidden: string[];
  collapsed: string[];
  charts: Record<string, ChartOverride>;
}

export const defaultState = (): BoardState => ({
  x: 'step',
  xLog: false,
  yLog: false,
  smoothing: 0,
  outliers: false,
  groupBy: 'setting',
  colorBy: 'group',
  band: 'sd',
  hidden: [],
  collapsed: [],
  charts: {},
});

/** What differs from the defaults, as short as it gets. */
export function packState(state: BoardState): Partial<BoardState> {
  const usual = defaultState();
  const entries = Object.entries(state).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key as keyof BoardState]),
  );
  return Object.fromEntries(entries) as Partial<BoardState>;
}

/** Anything (a saved view of another version, a typed address) → a valid state: entries of another type keep their defaults. */
export function unpackState(saved: unknown): BoardState {
  const state = defaultState();
  if (typeof saved !== 'object' || saved === null) return state;
  const given = saved as Record<string, unknown>;
  for (const key of ['x', 'groupBy', 'colorBy'] as const) if (typeof given[key] === 'string') state[key] = given[key];
  for (const key of ['xLog', 'yLog', 'outliers'] as const) if (typeof given[key] === 'boolean') state[key] = given[key];
  for (const key of ['hidden', 'collapsed'] as const) {
    const value = given[key];
    if (Array.isArray(value)) state[key] = value.filter((each) => typeof each === 'string');
  }
  if (typeof given.smoothing === 'number' && given.smoothing >= 0 && given.smoothing < 1)
    state.smoothing = given.smoothing;
  if (BANDS.includes(given.band as Band)) state.band = given.band as Band;
  if (typeof given.charts === 'object' && given.charts !== null)
    state.charts = given.charts as Record<string, ChartOverride>;
  return state;
}

export function stateText(state: BoardState): string {
  const packed = packState(state);
  return Object.keys(packed).length === 0 ? '' : JSON.stringify(packed);
}

export function stateFromText(text: string): BoardState | undefined {
  try {
    return text === '' ? undefined : unpackState(JSON.parse(text));
  } catch {
    return undefined;
  }
}
