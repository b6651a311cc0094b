/** One chart of a board: reads what it needs while it is on screen, follows live points, and builds what is drawn. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { ComputedRef, Ref, ShallowRef } from 'vue';
import { facetsOf, MOST_FACETS, withSharedAxes } from '../data/facets.ts';
import { lineModel } from '../data/lineModel.ts';
import { ChartReader } from '../data/reader.ts';
import { cancelDraw, drawPressure, requestDraw } from '../draw/frames.ts';
import type { LineModel } from '../draw/model.ts';
import type { Extent } from '../series/extent.ts';
import { unitOf } from '../../../preload/shared/metrics.ts';
import { distinctSeeds } from '../../../preload/shared/results/seeds.ts';
import { shortName } from '../../../preload/shared/results/groups.ts';
import { formatSetting } from '../../../preload/shared/format.ts';
import { useConnection } from '../../stores/connection.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { ChartLook, ChartOverride } from './boardState.ts';
import { lookOf } from './boardState.ts';
import type { BoardGroup } from './groups.ts';
import { readSeries } from './series.ts';
import { trendModel } from './trendModel.ts';
import type { Board } from './useBoard.ts';

/** Live points are drawn at most 20 times a second. */
const REDRAW = 50;
/** Curves that cannot be continued from live points are read again, but not more often than this (ms). */
const REREAD = 1500;
/** Charts beside the one that is zoomed wait so long (ms) for the points of the range before they show it with those that they have. */
const COARSE = 300;

/** One pair of axes: the whole chart, or one of its facets. */
export interface Panel {
  readonly key: string;
  /** Value of the setting; empty for the whole chart. */
  readonly title: string;
  readonly model: LineModel;
}

export interface BoardChart {
  /** Empty before the first reading. */
  readonly panels: ShallowRef<readonly Panel[]>;
  /** Facets that are not drawn, because there are too many. */
  readonly left: Ref<number>;
  readonly look: ComputedRef<ChartLook>;
  /** Shown part of x: the board's, or that of the chart's own x. */
  readonly range: ComputedRef<Extent | undefined>;
  readonly zoom: (range: Extent | undefined) => void;
  readonly problem: Ref<string | undefined>;
  readonly loading: Ref<boolean>;
  readonly override: ComputedRef<ChartOverride>;
  readonly set: (change: ChartOverride) => void;
  readonly visible: Ref<boolean>;
  readonly width: Ref<number>;
  readonly xLabel: ComputedRef<string>;
}

/** @param show draws what was built within the same frame */
export function useChart(board: Board, metric: string, show: (panels: readonly Panel[]) => void): BoardChart {
  const panels = shallowRef<readonly Panel[]>([]);
  const left = ref(0);
  const problem = ref<string>();
  const loading = ref(false);
  const visible = ref(false);
  const width = ref(0);
  const { state } = board;
  const override = computed<ChartOverride>(() => state.value.charts[metric] ?? {});
  const set = (change: ChartOverride): void => {
    state.value.charts = { ...state.value.charts, [metric]: { ...override.value, ...change } };
  };
  const look = computed(() => lookOf(state.value, override.value));
  const ownRange = shallowRef<Extent>();
  const range = computed(() => (override.value.x === undefined ? board.range.value : ownRange.value));
  const zoom = (now: Extent | undefined): void => {
    if (override.value.x === undefined) board.range.value = now;
    else ownRange.value = now;
  };
  const xKey = computed(() => look.value.x);
  const xMetric = computed(() => {
    const x = xKey.value;
    if (x === 'step' || x.startsWith('setting:')) return undefined;
    return x === 'relative' ? 'seconds' : x;
  });
  const xSetting = computed(() =>
    xKey.value.startsWith('setting:') ? xKey.value.slice('setting:'.length) : undefined,
  );
  const xLabel = computed(() => xSetting.value ?? (xKey.value === 'relative' ? 'seconds since the start' : xKey.value));
  const reader = new ChartReader(readSeries, metric);
  const owner = {};
  let drawnAt = 0;
  let cost = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let rereadTimer: ReturnType<typeof setTimeout> | undefined;
  let coarseTimer: ReturnType<typeof setTimeout> | undefined;
  const pointed = (): boolean => board.pointer.value.chart?.startsWith(`${metric}|`) ?? false;

  function build(): void {
    if (!visible.value || width.value === 0) return;
    const begin = performance.now();
    const { facet } = state.value;
    if (facet === '' || !board.settings.value.includes(facet)) {
      left.value = 0;
      panels.value = [{ key: '', title: '', model: modelOf(board.groups.value, board.final.value) }];
    } else {
      const facets = facetsOf<RunRecord, BoardGroup>(board.groups.value, facet);
      left.value = Math.max(0, facets.length - MOST_FACETS);
      const drawn = facets.slice(0, MOST_FACETS);
      const latest = new Map(board.final.value.map((run) => [run.id, run]));
      const models = withSharedAxes(
        drawn.map(({ groups, runs }) => modelOf(groups, runs.map(({ id }) => latest.get(id)!).filter(Boolean))),
      );
      const name = shortName(facet, board.settings.value);
      panels.value = drawn.map(({ key, value }, i) => ({
        key,
        title: value === undefined ? `${name} not set` : `${name} ${formatSetting(value)}`,
        model: models[i],
      }));
    }
    show(panels.value);
    drawnAt = performance.now();
    cost = drawnAt - begin;
  }

  function modelOf(groups: readonly BoardGroup[], runs: readonly RunRecord[]): LineModel {
    const { xLog, yLog, smoothing, outliers } = look.value;
    const { band, groupBy, facet } = state.value;
    const unit = unitOf(metric);
    const yLabel = unit === '' ? metric : `${metric} (${unit})`;
    const setting = xSetting.value;
    if (setting !== undefined)
      return trendModel({
        runs: distinctSeeds(runs),
        metric,
        setting,
        lines: groupBy === 'none' ? [] : board.settings.value.filter((name) => name !== setting && name !== facet),
        band,
        xLog: xLog || undefined,
        yLog,
        yLabel,
        color: (members) => board.coloring.value.of(members),
        among: board.final.value,
      });
    return lineModel({
      groups,
      grouped: board.grouped.value,
      curve: (run) => reader.get(run),
      band,
      smoothing,
      xLabel: xLabel.value,
      yLabel,
      xLog,
      yLog,
      clipOutliers: outliers,
      relative: xKey.value === 'relative',
      xRange: range.value,
      references: board.references(metric),
    });
  }

  /** Soon, and not more often than the machine can bear: live points may take an eighth of the time per chart. */
  function schedule(): void {
    if (timer !== undefined) return;
    const wait = Math.max(0, drawnAt + Math.max(REDRAW, 8 * cost) * drawPressure() - performance.now());
    timer = setTimeout(redraw, wait);
  }

  /** At the next frame: someone waits for it. */
  function redraw(): void {
    clearTimeout(timer);
    clearTimeout(coarseTimer);
    timer = undefined;
    requestDraw(owner, build, pointed());
  }

  /** A new range: at once where the pointer is, and elsewhere when the machine is not busy with that chart. */
  function zoomed(): void {
    if (pointed()) return redraw();
    clearTimeout(coarseTimer);
    coarseTimer = setTimeout(redraw, COARSE);
  }

  const ids = computed(() => board.shown.value.map(({ id }) => id));

  async function load(): Promise<void> {
    // The chart under the pointer asks before the others, which ask one task later.
    if (range.value !== undefined && !pointed()) await new Promise((resolve) => setTimeout(resolve));
    if (!visible.value || width.value === 0) return;
    if (xSetting.value !== undefined) return redraw();
    const steps =
      range.value === undefined
        ? undefined
        : xMetric.value === undefined
          ? wholeSteps(range.value)
          : reader.stepsOf({ from: range.value.min, to: range.value.max });
    loading.value = panels.value.length === 0;
    try {
      const changed = await reader.need(ids.value, xMetric.value, width.value, steps);
      problem.value = undefined;
      if (changed || panels.value.length === 0) redraw();
    } catch (error) {
      problem.value = `Could not read ${metric}: ${(error as Error).message}`;
    } finally {
      loading.value = reader.busy && panels.value.length === 0;
    }
  }

  function rereadSoon(): void {
    if (rereadTimer !== undefined) return;
    rereadTimer = setTimeout(() => {
      rereadTimer = undefined;
      void load();
    }, REREAD);
  }

  const stopPoints = board.onPoints(({ run, columns, again }) => {
    if (again) reader.outdate(run);
    else if (reader.append(run, columns)) schedule();
    if (visible.value && (reader.stale || (reader.get(run) === undefined && ids.value.includes(run)))) rereadSoon();
  });
  watch([visible, width, ids, xMetric, xSetting, range], () => void load(), { immediate: true });
  // Hidden runs and zoom show at once with what is known, finer curves follow.
  watch([board.groups, board.coloring], redraw);
  watch(range, zoomed);
  watch(xKey, () => (ownRange.value = undefined));
  watch([state, override], redraw, { deep: true });
  watch(board.final, () => xSetting.value !== undefined && schedule());
  // Points may have been missed while the connection was lost.
  watch(
    () => useConnection().generation,
    () => {
      reader.forget();
      void load();
    },
  );
  onScopeDispose(() => {
    stopPoints();
    clearTimeout(timer);
    clearTimeout(rereadTimer);
    clearTimeout(coarseTimer);
    cancelDraw(owner);
    reader.forget();
  });
  return { panels, left, look, range, zoom, problem, loading, override, set, visible, width, xLabel };
}

function wholeSteps({ min, max }: { readonly min: number; readonly max: number }): { from: number; to: number } {
  const margin = 0.02 * (max - min) + 1;
  return { from: Math.max(0, Math.floor(min - margin)), to: Math.ceil(max + margin) };
}
