/** The state of a board and what follows from it; handed down to its charts. */
import { computed, inject, onScopeDispose, provide, ref, shallowRef } from 'vue';
import type { ComputedRef, InjectionKey, Ref, ShallowRef } from 'vue';
import type { Events } from '../../../preload/contract/api.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { LivePace } from '../data/livePace.ts';
import type { PointsChange } from '../data/loader.ts';
import type { Reference } from '../../../preload/charts/draw/model.ts';
import type { Extent } from '../../../preload/charts/series/extent.ts';
import type { MetricCatalog } from '../../../preload/shared/metrics.ts';
import { catalogFor } from '../../../preload/shared/declaredUnits.ts';
import { placeOf as placedIn } from '../../../preload/shared/metricPlace.ts';
import { distinctSeeds } from '../../../preload/shared/results/samples.ts';
import { targetOf } from '../../../preload/shared/results/target.ts';
import type { SweepRankings, Target } from '../../../preload/shared/results/target.ts';
import { theme } from '../../stores/theme.ts';
import { useClient } from '../../stores/client.ts';
import { useMetrics } from '../../stores/metrics.ts';
import { useRuns } from '../../stores/runs.ts';
import { useSweeps } from '../../stores/sweeps.ts';
import type { BoardState } from '../../../preload/charts/board/boardState.ts';
import { defaultState, unpackState } from '../../../preload/charts/board/boardState.ts';
import { chartOfMetric, isOwn, newChartId, withChart } from '../../../preload/charts/board/chartSpec.ts';
import type { ChartChange, ChartSpec } from '../../../preload/charts/board/chartSpec.ts';
import { chartOfPlaces } from '../../../preload/charts/board/placedCharts.ts';
import type { BoardGroup, Coloring } from '../../../preload/charts/board/groups.ts';
import { averagingNotes, boardGroups, coloring, labelSettings } from '../../../preload/charts/board/groups.ts';
import { layoutHistory } from './history.ts';
import { keepLayout } from './keepLayout.ts';
import { keepZoom } from './keepZoom.ts';
import { plannedEnd } from '../../../preload/charts/board/planned.ts';
import { POINTER, newPointer } from './pointer.ts';
import type { SharedPointer } from './pointer.ts';
import { referencesOf } from '../../../preload/charts/board/references.ts';
import { boardResults, boardSpec } from '../../../preload/charts/board/results.ts';
import { boardFilter } from './runFilter.ts';
import type { BoardFilter } from './runFilter.ts';

export type PointsListener = (change: PointsChange) => void;

export interface Board {
  readonly state: Ref<BoardState>;
  readonly all: ComputedRef<readonly RunRecord[]>;
  /** What the list and the charts are narrowed to. */
  readonly filter: BoardFilter;
  /** Runs that match and are not hidden, as they were when one was last added, removed or renamed: cheap to follow. */
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
  /** Those of them that the drawn runs have logged. */
  readonly logged: ComputedRef<ReadonlySet<string>>;
  /** One chart per metric and those that someone made, by the section of their first metric. */
  readonly sections: ComputedRef<readonly (readonly [string, readonly ChartSpec[]])[]>;
  readonly chart: (id: string) => ChartSpec;
  /** As it is where nobody changed it. */
  readonly plainChart: (id: string) => ChartSpec;
  readonly changeChart: (id: string, change: ChartChange) => void;
  /** A further chart that begins as this one. */
  readonly copyChart: (id: string) => void;
  /** Takes away a chart that someone made. Others can only be hidden. */
  readonly removeChart: (id: string) => void;
  /** What is known of each metric. */
  readonly catalog: ComputedRef<MetricCatalog>;
  /** Metric by which runs are compared, and which way: that of their sweep. */
  readonly target: ComputedRef<Target>;
  /** The ranking of all runs of the board, as on the page of their sweep. */
  readonly results: ComputedRef<SweepRankings<RunRecord>>;
  readonly pointer: ShallowRef<SharedPointer>;
  /** Shown part of x; everything when undefined. Shared by all charts. */
  readonly range: ShallowRef<Extent | undefined>;
  readonly references: (metric: string) => readonly Reference[];
  /** What the groups are means over, beside seeds; and whether over all the same. */
  readonly averaging: ComputedRef<readonly string[]>;
  /** How far the runs that train now shall go on an x; undefined when none trains or none says. */
  readonly planned: (x: string | undefined | null) => number | undefined;
  readonly onPoints: (listener: PointsListener) => () => void;
  /** Hands on the points that came in and wait for their beat. */
  readonly takeAll: () => void;
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
  const facts = useMetrics();
  const sweeps = useSweeps();
  const training = useRuns();
  const all = computed(() => runs());
  const foreign = computed<readonly RunRecord[]>((old) => {
    const now = all.value.filter(({ origin }) => origin !== 'sweeplab');
    if (old?.length !== now.length) return now;
    return now.every(({ summary }, i) => sameNames(summary, old[i].summary)) ? old : now;
  });
  const catalog = computed(() => catalogFor(facts.catalog, foreign.value));
  // Running runs change many times a second, what tells runs apart does not: everything but final values follows from this.
  const lasting = computed<readonly RunRecord[]>((old) => (sameRuns(old, all.value) ? old! : all.value));
  const filter = boardFilter(
    () => state.value,
    () => all.value,
    () => catalog.value,
    (id) => sweeps.get(id)?.name,
  );
  const ids = computed(() => new Set(state.value.hidden));
  const isDrawn = ({ id }: RunRecord): boolean =>
    !ids.value.has(id) && (filter.matching.value === undefined || filter.matching.value.has(id));
  const drawn = (of: readonly RunRecord[]): readonly RunRecord[] =>
    ids.value.size === 0 && filter.matching.value === undefined ? of : of.filter(isDrawn);
  const shown = computed(() => drawn(lasting.value));
  const final = computed(() => drawn(all.value));
  const namesIn = (of: readonly RunRecord[]): Set<string> => {
    const names = new Set<string>();
    for (const run of of)
      for (const name of Object.keys(run.summary)) if (catalog.value.get(name).chart !== false) names.add(name);
    return names;
  };
  const metrics = computed<readonly string[]>((old) => {
    const names = namesIn(all.value);
    if (old !== undefined && old.length === names.size && old.every((name) => names.has(name))) return old;
    return [...names].sort(catalog.value.compare);
  });
  const logged = computed<ReadonlySet<string>>((old) => {
    const names = namesIn(final.value);
    return old !== undefined && old.size === names.size && [...names].every((name) => old.has(name)) ? old : names;
  });
  const spec = computed(() => boardSpec(lasting.value, (id) => sweeps.get(id)?.spec));
  const target = computed<Target>((old) => {
    const now = targetOf(spec.value, all.value, catalog.value);
    return old?.name === now.name && old.goal === now.goal ? old : now;
  });
  const results = computed(() => boardResults(all.value, spec.value, catalog.value));
  const settings = computed(() => labelSettings(lasting.value, spec.value));
  const options = computed(() => ({
    groupBy: state.value.groupBy,
    colorBy: state.value.colorBy,
    surface: theme.value,
    metric: target.value.name,
    goal: target.value.goal,
    settings: settings.value,
    sweepName: (id: string) => sweeps.get(id)?.name,
  }));
  const colored = computed(() => (state.value.colorBy === 'distance' ? all.value : lasting.value));
  const allGroups = computed(() => boardGroups(colored.value, options.value));
  const groups = computed(() => {
    const once = state.value.groupBy === 'none' ? (members: readonly RunRecord[]) => members : distinctSeeds<RunRecord>;
    return allGroups.value
      .map((group) => {
        const members = once(group.members.filter(isDrawn));
        return members.length === group.runs.length ? group : { ...group, runs: members.map(({ id }) => id), members };
      })
      .filter((group) => group.runs.length > 0);
  });
  const plainChart = (id: string): ChartSpec => {
    const { by } = catalog.value.get(id);
    return by === undefined || placedIn(id).layer !== undefined
      ? chartOfMetric(id)
      : chartOfPlaces(
          id,
          by,
          lasting.value.map(({ config }) => config),
        );
  };
  const chart = (id: string): ChartSpec => state.value.charts.find((each) => each.id === id) ?? plainChart(id);
  const sections = computed(() => {
    const sectionOf = (name: string): string => catalog.value.get(name).section;
    const found = new Map<string, ChartSpec[]>(metrics.value.map((name) => [sectionOf(name), []]));
    const own = state.value.charts.filter((each) => isOwn(each));
    for (const each of [...own, ...metrics.value.map(chart)]) found.get(sectionOf(each.metrics[0]))?.push(each);
    return [...found];
  });
  const averaging = computed(() => averagingNotes(groups.value, state.value.groupBy));
  const pointer = newPointer();
  const range = shallowRef<Extent>();
  const listeners = new Set<PointsListener>();
  const pace = new LivePace<PointsChange>((changes) => {
    for (const listener of listeners) for (const change of changes) listener(change);
  });
  const history = layoutHistory();
  const board: Board = {
    state,
    undo: () => {
      const before = history.undo();
      if (before !== undefined) state.value = before === '' ? defaultState() : unpackState(JSON.parse(before));
    },
    canUndo: history.canUndo,
    all,
    filter,
    shown,
    final,
    groups,
    allGroups,
    coloring: computed(() => coloring(colored.value, options.value)),
    grouped: computed(() => state.value.groupBy !== 'none'),
    settings,
    metrics,
    logged,
    sections,
    catalog,
    target,
    results,
    pointer,
    range,
    planned: (x) => plannedEnd(final.value, x, (id) => training.progress.get(id)),
    averaging,
    references: (metric) => referencesOf(lasting.value, metric),
    chart,
    plainChart,
    changeChart: (id, change) =>
      (state.value.charts = withChart(state.value.charts, chart(id), change, plainChart(id))),
    copyChart: (id) => {
      const { pinned: _, ...copied } = chart(id);
      state.value.charts = [...state.value.charts, { ...copied, id: newChartId(state.value.charts) }];
    },
    removeChart: (id) => (state.value.charts = state.value.charts.filter((each) => each.id !== id)),
    onPoints: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    takeAll: () => pace.hurry(),
    open,
  };
  provide(BOARD, board);
  provide(POINTER, pointer);
  const tell = (change: PointsChange): void => pace.push(change);
  onScopeDispose(() => pace.dispose());
  onScopeDispose(
    useClient().subscribe('points', ({ runs: news, resync }: Events['points']) => {
      for (const { runId, columns, keepUpTo } of news) tell({ run: runId, columns, again: keepUpTo !== undefined });
      for (const run of resync) tell({ run, columns: [], again: true });
    }),
  );
  keepLayout(state, history, key, initial);
  keepZoom(range, () => state.value.x);
  return board;
}

const sameNames = (a: object, b: object): boolean => Object.keys(a).join('\n') === Object.keys(b).join('\n');

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
