/** The state of a board and what follows from it; handed down to its charts. */
import { computed, inject, onScopeDispose, provide, ref, shallowRef, watch } from 'vue';
import type { ComputedRef, InjectionKey, Ref, ShallowRef } from 'vue';
import type { Events } from '../../../preload/contract/api.ts';
import type { MetricBatch } from '../../../preload/contract/metrics.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Reference } from '../draw/model.ts';
import type { Extent } from '../series/extent.ts';
import { compareMetrics, sectionOf } from '../../../preload/shared/metrics.ts';
import { distinctSeeds } from '../../../preload/shared/results/seeds.ts';
import { setQuery, place } from '../../frame/router.ts';
import { theme } from '../../stores/theme.ts';
import { useClient } from '../../stores/client.ts';
import type { BoardState } from './boardState.ts';
import { defaultState, packState, stateFromText, stateText, unpackState } from './boardState.ts';
import type { BoardGroup, Coloring } from './groups.ts';
import { boardGroups, coloring, labelSettings } from './groups.ts';
import { layoutHistory } from './history.ts';
import type { History } from './history.ts';
import { POINTER, newPointer } from './pointer.ts';
import type { SharedPointer } from './pointer.ts';

/** Metrics that serve as x, or that summarise others; they get no chart of their own. */
const NOT_CHARTED = new Set(['tokens', 'epoch', 'seconds', 'flops', 'val/best_loss', 'val/best_step']);

export interface PointsChange {
  readonly run: string;
  readonly columns: MetricBatch;
  /** What is known of the run no longer holds: it went back to a checkpoint, or points were left out on the way. */
  readonly again: boolean;
}
export type PointsListener = (change: PointsChange) => void;

export interface Board {
  readonly state: Ref<BoardState>;
  readonly all: ComputedRef<readonly RunRecord[]>;
  /** Runs that are not hidden, as they were when one was last added, removed or renamed: cheap to follow. */
  readonly shown: ComputedRef<readonly RunRecord[]>;
  /** The same with their latest numbers. */
  readonly final: ComputedRef<readonly RunRecord[]>;
  /** Groups of the runs that are shown; colours and labels come from all runs, so that hiding one changes no other. */
  readonly groups: ComputedRef<readonly BoardGroup[]>;
  readonly allGroups: ComputedRef<readonly BoardGroup[]>;
  readonly coloring: ComputedRef<Coloring>;
  readonly grouped: ComputedRef<boolean>;
  readonly settings: ComputedRef<readonly string[]>;
  readonly metrics: ComputedRef<readonly string[]>;
  readonly sections: ComputedRef<readonly (readonly [string, readonly string[]])[]>;
  /** Metric by which runs are compared. */
  readonly target: ComputedRef<string>;
  readonly pointer: ShallowRef<SharedPointer>;
  /** Shown part of x; everything when undefined. Shared by all charts. */
  readonly range: ShallowRef<Extent | undefined>;
  readonly references: (metric: string) => readonly Reference[];
  readonly onPoints: (listener: PointsListener) => () => void;
  readonly open: (run: string) => void;
  /** Takes the last change of the layout back. */
  readonly undo: () => void;
  readonly canUndo: ComputedRef<boolean>;
}

const BOARD: InjectionKey<Board> = Symbol('board');

export const useBoard = (): Board => {
  const board = inject(BOARD);
  if (board === undefined) throw new Error('A chart outside of a board');
  return board;
};

export interface BoardOptions {
  readonly runs: () => readonly RunRecord[];
  /** Where the layout is kept; nothing is kept without it. */
  readonly key: () => string | undefined;
  readonly open: (run: string) => void;
  /** Start of a layout that was never saved. */
  readonly initial?: Partial<BoardState>;
}

export function provideBoard({ runs, key, open, initial }: BoardOptions): Board {
  const state = ref<BoardState>({ ...defaultState(), ...initial });
  const all = computed(() => runs());
  // Running runs change many times a second, what tells runs apart does not: everything but final values follows from this.
  const lasting = computed<readonly RunRecord[]>((old) => (sameRuns(old, all.value) ? old! : all.value));
  const ids = computed(() => new Set(state.value.hidden));
  const shown = computed(() =>
    ids.value.size === 0 ? lasting.value : lasting.value.filter(({ id }) => !ids.value.has(id)),
  );
  const final = computed(() => (ids.value.size === 0 ? all.value : all.value.filter(({ id }) => !ids.value.has(id))));
  const metrics = computed<readonly string[]>((old) => {
    const names = new Set<string>();
    for (const run of all.value)
      for (const name of Object.keys(run.summary)) if (!NOT_CHARTED.has(name)) names.add(name);
    if (old !== undefined && old.length === names.size && old.every((name) => names.has(name))) return old;
    return [...names].sort(compareMetrics);
  });
  const target = computed(() => {
    const known = metrics.value;
    return (
      known.find((name) => name === 'val/loss') ?? known.find((name) => name === 'train/loss') ?? known[0] ?? 'val/loss'
    );
  });
  const options = computed(() => ({
    groupBy: state.value.groupBy,
    colorBy: state.value.colorBy,
    surface: theme.value,
    metric: target.value,
  }));
  const settings = computed(() => labelSettings(lasting.value));
  const colored = computed(() => (state.value.colorBy === 'distance' ? all.value : lasting.value));
  const allGroups = computed(() => boardGroups(colored.value, options.value));
  const groups = computed(() => {
    const once = state.value.groupBy === 'none' ? (members: readonly RunRecord[]) => members : distinctSeeds<RunRecord>;
    return allGroups.value
      .map((group) => {
        const members = once(group.members.filter(({ id }) => !ids.value.has(id)));
        return members.length === group.runs.length ? group : { ...group, runs: members.map(({ id }) => id), members };
      })
      .filter((group) => group.runs.length > 0);
  });
  const sections = computed(() => {
    const found = new Map<string, string[]>();
    for (const name of metrics.value) {
      const section = sectionOf(name);
      const list = found.get(section);
      if (list === undefined) found.set(section, [name]);
      else list.push(name);
    }
    return [...found];
  });
  const pointer = newPointer();
  const range = shallowRef<Extent>();
  const listeners = new Set<PointsListener>();
  const history = layoutHistory();
  const board: Board = {
    state,
    undo: () => {
      const before = history.undo();
      if (before !== undefined) state.value = before === '' ? defaultState() : unpackState(JSON.parse(before));
    },
    canUndo: history.canUndo,
    all,
    shown,
    final,
    groups,
    allGroups,
    coloring: computed(() => coloring(colored.value, options.value)),
    grouped: computed(() => state.value.groupBy !== 'none'),
    settings,
    metrics,
    sections,
    target,
    pointer,
    range,
    references: (metric) => referencesOf(lasting.value, metric),
    onPoints: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open,
  };
  provide(BOARD, board);
  provide(POINTER, pointer);
  const tell = (change: PointsChange): void => {
    for (const listener of listeners) listener(change);
  };
  onScopeDispose(
    useClient().subscribe('points', ({ runs: news, resync }: Events['points']) => {
      for (const { runId, columns, keepUpTo } of news) tell({ run: runId, columns, again: keepUpTo !== undefined });
      for (const run of resync) tell({ run, columns: [], again: true });
    }),
  );
  watch(
    () => state.value.x,
    () => (range.value = undefined),
  );
  keep(state, history, key, initial);
  return board;
}

function sameRuns(a: readonly RunRecord[] | undefined, b: readonly RunRecord[]): boolean {
  if (a === undefined || a.length !== b.length) return false;
  return a.every(
    (run, i) =>
      run.id === b[i].id &&
      run.name === b[i].name &&
      run.color === b[i].color &&
      run.state === b[i].state &&
      run.environment.entropyFloor === b[i].environment.entropyFloor,
  );
}

/** Address before saved layout before defaults; changes go to both. */
function keep(
  state: Ref<BoardState>,
  history: History,
  key: () => string | undefined,
  initial: Partial<BoardState> = {},
): void {
  let loaded = '';
  /** What the address said when it was last read or written here. */
  let known = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const fresh = (): BoardState => ({ ...defaultState(), ...initial });
  watch(
    key,
    async (name) => {
      known = place.value.query.board ?? '';
      const linked = stateFromText(known);
      state.value = linked ?? fresh();
      loaded = '';
      if (name === undefined) return;
      try {
        const { value } = await useClient().call('views.get', { key: name });
        if (key() === name && linked === undefined && value != null)
          state.value = { ...fresh(), ...packState(unpackState(value)) };
      } catch {
        // A layout that cannot be read is no reason to show nothing; the defaults serve.
      }
      if (key() !== name) return;
      loaded = name;
      history.restart(stateText(state.value));
    },
    { immediate: true },
  );
  watch(
    state,
    (now) => {
      const name = key();
      if (name === undefined || loaded !== name) return;
      history.record(stateText(now), performance.now());
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (key() !== name) return;
        known = stateText(now);
        setQuery({ board: known });
        // Losing a layout is no loss of work: the next change tries again.
        useClient()
          .call('views.set', { key: name, value: JSON.parse(JSON.stringify(packState(now))) })
          .catch(() => undefined);
      }, 500);
    },
    { deep: true },
  );
  // A link to the same board, or the way back in the history.
  watch(
    () => place.value.query.board ?? '',
    (text) => {
      if (text === known || loaded === '') return;
      known = text;
      state.value = stateFromText(text) ?? fresh();
    },
  );
  onScopeDispose(() => clearTimeout(timer));
}

/** The entropy of generated text: no model can get below it. Only where all runs share it. */
function referencesOf(runs: readonly RunRecord[], metric: string): Reference[] {
  if (metric === 'grad/norm') return clipOf(runs);
  const floors = new Set(runs.map(({ environment }) => floorOf(environment, metric)));
  const [floor] = floors;
  if (floors.size !== 1 || floor === undefined) return [];
  return [{ value: floor, label: `entropy of the text ${floor.toFixed(3)}` }];
}

/** Above it gradients are clipped. Only where all runs share it. */
function clipOf(runs: readonly RunRecord[]): Reference[] {
  const [clip, ...others] = new Set(runs.map(({ config }) => config['optimizer.clip']));
  if (others.length > 0 || typeof clip !== 'number' || clip <= 0) return [];
  return [{ value: clip, label: `clipped above ${clip}` }];
}

/** The floor is known in bits per byte; one token of the validation text stands for bytes / tokens of them. */
function floorOf(environment: RunRecord['environment'], metric: string): number | undefined {
  const { entropyFloor: floor, validationBytes: bytes, validationTokens: tokens } = environment;
  if (typeof floor !== 'number') return undefined;
  if (metric === 'val/bpb') return floor;
  if (metric !== 'val/loss' || typeof bytes !== 'number' || typeof tokens !== 'number') return undefined;
  return (floor * Math.LN2 * bytes) / tokens;
}
