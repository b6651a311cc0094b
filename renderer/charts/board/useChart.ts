/** One chart of a board for Vue: what it needs follows from the board and from its own choices; the loader reads and builds. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { ComputedRef, Ref, ShallowRef } from 'vue';
import { linesOf, needsEnvelopes } from '../../../preload/charts/data/lineModel.ts';
import { ChartLoader } from '../data/loader.ts';
import type { Extent } from '../../../preload/charts/series/extent.ts';
import { useConnection } from '../../stores/connection.ts';
import { chartPanels, goalOf, growsByFactors, placeOf } from '../../../preload/charts/board/chartModel.ts';
import type { ChartPanels, Panel } from '../../../preload/charts/board/chartModel.ts';
import { drawnChart } from '../../../preload/charts/board/chartSides.ts';
import { lookOf } from '../../../preload/charts/board/chartSpec.ts';
import { PLACES } from '../../../preload/charts/board/placedCharts.ts';
import { placeOf as placedIn } from '../../../preload/shared/metricPlace.ts';
import type { ChartLook, ChartSpec } from '../../../preload/charts/board/chartSpec.ts';
import { readSeries } from './series.ts';
import { lineReading } from './tip.ts';
import type { LineReading } from './tip.ts';
import type { Board } from './useBoard.ts';

export interface BoardChart {
  readonly spec: ComputedRef<ChartSpec>;
  /** With those of its metrics that are drawn. */
  readonly drawn: ComputedRef<ChartSpec>;
  readonly look: ComputedRef<ChartLook>;
  /** Empty before the first reading. Lines reach no further than what is shown of x. */
  readonly panels: ShallowRef<readonly Panel[]>;
  /** The same with all of their lines. */
  readonly entire: () => readonly Panel[];
  /** Facets that are not drawn, because there are too many. */
  readonly left: Ref<number>;
  /** Shown part of x: the board's, or that of the chart's own x. */
  readonly range: ComputedRef<Extent | undefined>;
  readonly zoom: (range: Extent | undefined) => void;
  /** The last and the best value of a group or run; undefined when it has none, or for a chart of final values. */
  readonly readingOf: (group: string, metric: string) => LineReading | undefined;
  readonly problem: Ref<string | undefined>;
  readonly loading: Ref<boolean>;
  /** What is drawn is of before it left the screen. */
  readonly old: Ref<boolean>;
  /** Told by the component. */
  readonly visible: Ref<boolean>;
  readonly width: Ref<number>;
}

/** @param show draws what was built within the same frame */
export function useChart(board: Board, id: () => string, show: (panels: readonly Panel[]) => void): BoardChart {
  const panels = shallowRef<readonly Panel[]>([]);
  const left = ref(0);
  const problem = ref<string>();
  const loading = ref(false);
  const old = ref(false);
  const visible = ref(false);
  const width = ref(0);
  const spec = computed(() => board.chart(id()));
  const look = computed(() => lookOf(board.state.value, spec.value, growsByFactors(spec.value, board.catalog.value)));
  const drawn = computed(() => drawnChart(spec.value, board.catalog.value, look.value.x));
  const place = computed(() => placeOf(look.value.x, board.catalog.value));
  const ownRange = shallowRef<Extent>();
  const range = computed(() => (spec.value.x === undefined ? board.range.value : ownRange.value));
  const zoom = (now: Extent | undefined): void => {
    if (spec.value.x === undefined) board.range.value = now;
    else ownRange.value = now;
  };

  const panelsOf = (entire: boolean): ChartPanels =>
    chartPanels({
      chart: spec.value,
      look: look.value,
      range: range.value,
      board: {
        groups: board.groups.value,
        final: board.final.value,
        settings: board.settings.value,
        coloring: board.coloring.value,
        state: board.state.value,
        catalog: board.catalog.value,
        target: board.target.value,
        references: board.references,
        planned: board.planned,
        averaging: board.averaging.value,
      },
      curve: (metric, run) => loader.curve(metric, run),
      entire,
    });
  const entire = (): readonly Panel[] => panelsOf(true).panels;

  const loader = new ChartLoader({
    read: async (query, signal) => {
      const found = await readSeries(query, signal);
      // It is as new as it can be: so shall be the other charts beside it.
      board.takeAll();
      return found;
    },
    pointed: () => board.pointer.value.chart?.startsWith(`${id()}|`) ?? false,
    build: () => {
      const built = panelsOf(false);
      panels.value = built.panels;
      left.value = built.left;
      show(built.panels);
    },
    changed: (state) => {
      problem.value = state.problem;
      loading.value = state.loading;
      old.value = state.old;
    },
  });

  const readingOf = (group: string, metric: string): LineReading | undefined => {
    const found = board.groups.value.find(({ id: each }) => each === group);
    if (place.value.metric === null || found === undefined) return undefined;
    const { band, groupBy } = board.state.value;
    const [line] = linesOf(found, metric, 0, {
      metrics: [metric],
      grouped: groupBy !== 'none',
      curve: (name, run) => loader.whole(name, run),
      band,
      smoothing: 0,
      xLog: false,
    });
    if (line === undefined) return undefined;
    return lineReading(
      line,
      goalOf(metric, board.target.value, board.catalog.value),
      board.catalog.value.get(metric).unit,
    );
  };

  const runs = computed(() => board.shown.value.map((run) => run.id));
  const metrics = computed<readonly string[]>((old) => {
    const now = drawn.value.metrics;
    return old !== undefined && old.join() === now.join() ? old : now;
  });
  watch(
    () => ({
      runs: runs.value,
      metrics: metrics.value,
      x: place.value.metric,
      range: range.value,
      envelopes: needsEnvelopes(board.grouped.value, board.state.value.band),
      width: width.value,
      visible: visible.value,
    }),
    (need) => loader.need(need),
    { immediate: true },
  );
  // Hidden runs and other looks show at once with what is known, finer curves follow.
  watch([board.groups, board.coloring], () => loader.redraw());
  watch([board.state, spec], () => loader.redraw(), { deep: true });
  watch(board.final, () => place.value.metric === null && loader.redrawSoon());
  watch(
    () => look.value.x,
    () => (ownRange.value = undefined),
  );
  watch(
    () => useConnection().generation,
    () => loader.readAgain(),
  );
  const stopPoints = board.onPoints((change) => {
    // A curve over places has nothing that live points could continue.
    const measured =
      place.value.metric === PLACES &&
      change.columns.some(({ metric }) => metrics.value.includes(placedIn(metric).name));
    loader.points(measured ? { run: change.run, columns: [], again: true } : change);
  });
  onScopeDispose(() => {
    stopPoints();
    loader.dispose();
  });
  return { spec, drawn, look, panels, entire, left, range, zoom, readingOf, problem, loading, old, visible, width };
}
