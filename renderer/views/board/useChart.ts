/** One chart of a board: reads what it needs while it is on screen, follows live points, and builds what is drawn. */
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { ComputedRef, Ref, ShallowRef } from 'vue';
import { lineModel } from '../../charts/data/lineModel.ts';
import { ChartReader } from '../../charts/data/reader.ts';
import { cancelDraw, drawPressure, requestDraw } from '../../charts/draw/frames.ts';
import type { LineModel } from '../../charts/draw/model.ts';
import { unitOf } from '../../charts/sweep/metric.ts';
import { useConnection } from '../../stores/connection.ts';
import type { ChartOverride } from './boardState.ts';
import { readSeries } from './series.ts';
import { trendModel } from './trendModel.ts';
import type { Board } from './useBoard.ts';

/** Live points are drawn at most 20 times a second. */
const REDRAW = 50;
/** Curves that cannot be continued from live points are read again, but not more often than this (ms). */
const REREAD = 1500;

export interface BoardChart {
  readonly model: ShallowRef<LineModel | undefined>;
  readonly problem: Ref<string | undefined>;
  readonly loading: Ref<boolean>;
  readonly override: ComputedRef<ChartOverride>;
  readonly set: (change: ChartOverride) => void;
  readonly visible: Ref<boolean>;
  readonly width: Ref<number>;
  readonly xLabel: ComputedRef<string>;
}

/** @param show draws a model within the frame in which it was built */
export function useChart(board: Board, metric: string, show: (model: LineModel) => void): BoardChart {
  const model = shallowRef<LineModel>();
  const problem = ref<string>();
  const loading = ref(false);
  const visible = ref(false);
  const width = ref(0);
  const { state } = board;
  const override = computed<ChartOverride>(() => state.value.charts[metric] ?? {});
  const set = (change: ChartOverride): void => {
    state.value.charts = { ...state.value.charts, [metric]: { ...override.value, ...change } };
  };
  const xMetric = computed(() => {
    const { x } = state.value;
    if (x === 'step' || x.startsWith('setting:')) return undefined;
    return x === 'relative' ? 'seconds' : x;
  });
  const xSetting = computed(() =>
    state.value.x.startsWith('setting:') ? state.value.x.slice('setting:'.length) : undefined,
  );
  const xLabel = computed(
    () => xSetting.value ?? (state.value.x === 'relative' ? 'seconds since the start' : state.value.x),
  );
  const reader = new ChartReader(readSeries, metric);
  const owner = {};
  let drawnAt = 0;
  let cost = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let rereadTimer: ReturnType<typeof setTimeout> | undefined;

  function build(): void {
    if (!visible.value || width.value === 0) return;
    const begin = performance.now();
    const { yLog, smoothing, outliers } = { ...state.value, ...definedOnly(override.value) };
    const unit = unitOf(metric);
    const yLabel = unit === '' ? metric : `${metric} (${unit})`;
    if (xSetting.value !== undefined) {
      const setting = xSetting.value;
      model.value = trendModel({
        runs: board.final.value,
        metric,
        setting,
        lines: state.value.groupBy === 'none' ? [] : board.settings.value.filter((name) => name !== setting),
        band: state.value.band,
        xLog: state.value.xLog || undefined,
        yLog,
        yLabel,
        color: (runs) => board.coloring.value.of(runs),
      });
    } else {
      model.value = lineModel({
        groups: board.groups.value,
        grouped: board.grouped.value,
        curve: (run) => reader.get(run),
        band: state.value.band,
        smoothing,
        xLabel: xLabel.value,
        yLabel,
        xLog: state.value.xLog,
        yLog,
        clipOutliers: outliers,
        relative: state.value.x === 'relative',
        xRange: board.range.value,
        references: board.references(metric),
      });
    }
    show(model.value);
    drawnAt = performance.now();
    cost = drawnAt - begin;
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
    timer = undefined;
    requestDraw(owner, build);
  }

  const ids = computed(() => board.shown.value.map(({ id }) => id));

  async function load(): Promise<void> {
    if (!visible.value || width.value === 0) return;
    if (xSetting.value !== undefined) return redraw();
    const { range } = board;
    const steps =
      range.value === undefined
        ? undefined
        : xMetric.value === undefined
          ? wholeSteps(range.value)
          : reader.stepsOf({ from: range.value.min, to: range.value.max });
    loading.value = model.value === undefined;
    try {
      const changed = await reader.need(ids.value, xMetric.value, width.value, steps);
      problem.value = undefined;
      if (changed || model.value === undefined) redraw();
    } catch (error) {
      problem.value = `Could not read ${metric}: ${(error as Error).message}`;
    } finally {
      loading.value = reader.busy && model.value === undefined;
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
  watch([visible, width, ids, xMetric, xSetting, board.range], () => void load(), { immediate: true });
  // Hidden runs and zoom show at once with what is known, finer curves follow.
  watch([board.groups, board.coloring, board.range], redraw);
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
    cancelDraw(owner);
    reader.forget();
  });
  return { model, problem, loading, override, set, visible, width, xLabel };
}

function wholeSteps({ min, max }: { readonly min: number; readonly max: number }): { from: number; to: number } {
  const margin = 0.02 * (max - min) + 1;
  return { from: Math.max(0, Math.floor(min - margin)), to: Math.ceil(max + margin) };
}

function definedOnly(override: ChartOverride): ChartOverride {
  return Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
}
