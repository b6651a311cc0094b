/** What a coordinate check found, as files. */
import { csvTable } from '../../../preload/shared/csv.ts';
import type { LayerCoordinates } from './coordinates.ts';

/** One row for each layer, size and step. */
export function coordinatesCsv(setting: string, sizes: readonly number[], layers: readonly LayerCoordinates[]): string {
  const rows = layers.flatMap(({ layer, means, slopes }) =>
    means.flatMap((steps, i) => steps.map((value, step) => [layer, sizes[i], step, value, slopes[step]])),
  );
  return csvTable(['layer', setting, 'step', 'mean_absolute_activation', 'slope'], rows);
}

const PANEL = { width: 220, height: 150, left: 44, right: 10, top: 26, bottom: 24 };
const COLUMNS = 4;

/** Later steps are darker. */
const shade = (step: number, steps: number): string => `hsl(222 70% ${75 - (45 * step) / Math.max(1, steps)}%)`;

const short = (value: number): string =>
  value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(0);

/** A panel: mean |activation| over the size, both logarithmic, one line for each step. */
function panel(sizes: readonly number[], { layer, means, slopes }: LayerCoordinates): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const values = means.flat().filter((value) => value > 0);
  const steps = means[0]!.length - 1;
  const [low, high] = [Math.log(Math.min(...values) / 1.5), Math.log(Math.max(...values) * 1.5)];
  const [first, last] = [Math.log(sizes[0]!), Math.log(sizes.at(-1)!)];
  const x = (size: number) => left + ((Math.log(size) - first) / (last - first)) * (width - left - right);
  const y = (value: number) => height - bottom - ((Math.log(value) - low) / (high - low)) * (height - top - bottom);
  const lines = Array.from({ length: steps + 1 }, (_, step) => {
    const points = sizes.flatMap((size, i) => {
      const value = means[i]![step]!;
      return value > 0 ? [`${x(size).toFixed(1)},${y(value).toFixed(1)}`] : [];
    });
    return `<polyline fill="none" stroke="${shade(step, steps)}" stroke-width="1.5" points="${points.join(' ')}"/>`;
  });
  const ticks = [sizes[0]!, sizes.at(-1)!].map(
    (size) => `<text x="${x(size)}" y="${height - 8}" text-anchor="middle">${size}</text>`,
  );
  const levels = values.length === 0 ? [] : [Math.min(...values), Math.max(...values)];
  const marks = levels.map(
    (value) => `<text x="${left - 6}" y="${y(value) + 3}" text-anchor="end">${short(value)}</text>`,
  );
  const title = `<text x="${left}" y="14" font-weight="600">${layer} ${(slopes.at(-1) ?? 0).toFixed(2)}</text>`;
  const frame = `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#999"/>`;
  return [title, frame, ...lines, ...ticks, ...marks].join('');
}

/** Small panels, one for each layer, with the slope of the last step in its title. Names of layers are those of parameters: no mark-up. */
export function coordinatesSvg(setting: string, sizes: readonly number[], layers: readonly LayerCoordinates[]): string {
  const { width, height } = PANEL;
  const rows = Math.ceil(layers.length / COLUMNS);
  const panels = layers.map((each, i) => {
    const at = `translate(${(i % COLUMNS) * width} ${Math.floor(i / COLUMNS) * height + 24})`;
    return `<g transform="${at}">${panel(sizes, each)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * width}" height="${rows * height + 30}" font-family="sans-serif" font-size="9">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="10" y="16" font-size="12">Mean |activation| over ${setting}, from before the first step (light) to after the last (dark), and its slope</text>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}
