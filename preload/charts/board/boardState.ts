/** What a board shows and how: kept per sweep, and in the address so that a copied link shows the same. */
import type { Band } from '../../shared/statistics/describe.ts';
import { BANDS } from '../../shared/statistics/describe.ts';
import { RUN_STATES } from '../../contract/runs.ts';
import type { RunState } from '../../contract/runs.ts';
import { chartsOf, isSmoothing } from './chartSpec.ts';
import type { ChartLook, ChartSpec } from './chartSpec.ts';

export interface BoardState extends ChartLook {
  /** `none`, `setting` (all settings: seeds together), or the name of a setting. */
  groupBy: string;
  /** `group`, `distance`, or the name of a setting. */
  colorBy: string;
  /** Name of a setting: each chart becomes small charts with the same axes, one per value. Empty for none. */
  facet: string;
  band: Band;
  /** Run ids that are not drawn. */
  hidden: string[];
  /** Of the runs: those that do not match are neither listed nor drawn. */
  search: string;
  /** Only runs in this state; empty for any. */
  only: RunState | '';
  /** Order of the list: as created, by the metric that ranks (best first), or by name. */
  sort: RunOrder;
  collapsed: string[];
  /** Charts that are not as their metric has them anyway. */
  charts: ChartSpec[];
}

const RUN_ORDERS = ['created', 'value', 'name'] as const;
export type RunOrder = (typeof RUN_ORDERS)[number];

export const defaultState = (): BoardState => ({
  x: 'step',
  xLog: false,
  yLog: false,
  smoothing: 0,
  outliers: true,
  groupBy: 'setting',
  colorBy: 'group',
  facet: '',
  band: 'sd',
  hidden: [],
  search: '',
  only: '',
  sort: 'created',
  collapsed: [],
  charts: [],
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
  for (const key of ['x', 'groupBy', 'colorBy', 'facet', 'search'] as const)
    if (typeof given[key] === 'string') state[key] = given[key];
  for (const key of ['xLog', 'yLog', 'outliers'] as const) if (typeof given[key] === 'boolean') state[key] = given[key];
  for (const key of ['hidden', 'collapsed'] as const) {
    const value = given[key];
    if (Array.isArray(value)) state[key] = value.filter((each) => typeof each === 'string');
  }
  if (isSmoothing(given.smoothing)) state.smoothing = given.smoothing;
  if (BANDS.includes(given.band as Band)) state.band = given.band as Band;
  if (RUN_STATES.includes(given.only as RunState)) state.only = given.only as RunState;
  if (RUN_ORDERS.includes(given.sort as RunOrder)) state.sort = given.sort as RunOrder;
  state.charts = chartsOf(given.charts);
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
