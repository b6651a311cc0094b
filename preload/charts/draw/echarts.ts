/** The parts of ECharts that are used, imported one by one: the whole library is three times as large. */
import { CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import type { EChartsOption } from 'echarts';
import type {
  CustomSeriesOption,
  HeatmapSeriesOption,
  LineSeriesOption,
  ParallelSeriesOption,
  ScatterSeriesOption,
} from 'echarts/charts';
import { GridComponent, ParallelComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';
import { Curves } from './curves.ts';

echarts.use([
  LineChart,
  CustomChart,
  HeatmapChart,
  ParallelChart,
  ScatterChart,
  GridComponent,
  ParallelComponent,
  TooltipComponent,
  VisualMapComponent,
  CanvasRenderer,
  SVGRenderer,
]);
echarts.graphic.registerShape('curves', Curves);

/** What a chart of these parts can be told. */
export type ChartOption = Pick<
  EChartsOption,
  'grid' | 'parallel' | 'parallelAxis' | 'tooltip' | 'visualMap' | 'xAxis' | 'yAxis'
> & {
  readonly series?: (
    | CustomSeriesOption
    | HeatmapSeriesOption
    | LineSeriesOption
    | ParallelSeriesOption
    | ScatterSeriesOption
  )[];
};

export type EChart = ReturnType<typeof echarts.init>;

export { echarts };
