/**
 * The size of a chart and that of its picture. ECharts moves its axes the moment it is told of a new size, while what is drawn for
 * places in pixels (curves, labels) stays where it was until the next option: told of both in one go, a chart never shows the one
 * without the other.
 */
import type { EChart } from '../../../preload/charts/draw/echarts.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Until its turn to be drawn comes, the whole picture is stretched to the new size: axes and curves stay with each other. */
export function stretch(chart: EChart, { width, height }: Size): void {
  rootOf(chart).style.transform = `scale(${width / chart.getWidth()}, ${height / chart.getHeight()})`;
}

/** Just before the option for this size is set, within the same task. */
export function fit(chart: EChart, { width, height }: Size): void {
  rootOf(chart).style.transform = '';
  if (chart.getWidth() === width && chart.getHeight() === height) return;
  // What was drawn for the old size would be drawn once more, for nothing.
  chart.clear();
  chart.resize({ width, height });
}

function rootOf(chart: EChart): HTMLElement {
  const root = chart.getZr().painter.getViewportRoot();
  root.style.transformOrigin = '0 0';
  return root;
}
