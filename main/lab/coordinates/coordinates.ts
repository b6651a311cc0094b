/** Coordinate checks: whether activations stay as large as they are while a setting (the width) grows. */
import type { Config } from '../../../preload/contract/settings.ts';
import { meanOf } from '../../../preload/shared/statistics/describe.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import type { Kinds } from '../../engine/kind.ts';
import { measureCoordinates } from '../../engine/train/coordinates.ts';
import type { Coordinates } from '../../engine/train/coordinates.ts';
import { prepareData } from '../../engine/train/dataset.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

export interface CheckedSize {
  /** Value of the setting that grows. */
  readonly size: number;
  /** Its configurations, one for each seed. */
  readonly configs: readonly Config[];
}

export interface CoordinateRequest {
  readonly sizes: readonly CheckedSize[];
  readonly steps: number;
  readonly kinds: Kinds;
  readonly cache: string;
  /** Called with what is being done, and the share of it; false ends the check after this step. */
  readonly onProgress?: (what: string, share?: number) => boolean;
}

export interface LayerCoordinates {
  readonly layer: string;
  /** mean |x| by size, and then by step (0: before the first update), over all seeds. */
  readonly means: readonly (readonly number[])[];
  /** Slope of log mean |x| over log size for each step; 0 where nothing depends on the size. NaN where a layer is all zero. */
  readonly slopes: readonly number[];
}

/** Slope of the least-squares line through (log x, log y). */
export function logSlope(xs: readonly number[], ys: readonly number[]): number {
  const [x, y] = [xs.map(Math.log), ys.map(Math.log)];
  const [mx, my] = [meanOf(x), meanOf(y)];
  const above = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return above / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** Layers that all sizes have, in the order of computation. */
export function compareCoordinates(
  sizes: readonly number[],
  measured: readonly (readonly Coordinates[])[],
): readonly LayerCoordinates[] {
  const [[first]] = measured as readonly [readonly [Coordinates]];
  const shared = Object.keys(first).filter((layer) => measured.every((seeds) => seeds.every((each) => layer in each)));
  return shared.map((layer) => {
    const steps = first[layer]!.length;
    const means = measured.map((seeds) =>
      Array.from({ length: steps }, (_, step) => meanOf(seeds.map((each) => each[layer]![step]!))),
    );
    const slopes = Array.from({ length: steps }, (_, step) =>
      logSlope(
        sizes,
        means.map((each) => each[step]!),
      ),
    );
    return { layer, means, slopes };
  });
}

/** Undefined when it was ended. @throws DataError, ExecutorUnavailableError, OutOfMemoryError */
export async function checkCoordinates(request: CoordinateRequest): Promise<readonly LayerCoordinates[] | undefined> {
  const { sizes, steps, kinds, cache } = request;
  const tell = (what: string, share?: number): boolean => request.onProgress?.(what, share) ?? true;
  const all = sizes.reduce((sum, { configs }) => sum + configs.length, 0) * (steps + 1);
  let done = 0;
  let going = true;
  const one = async (size: number, config: Config): Promise<Coordinates> => {
    const data = await prepareData({ config, kinds, cache, onProgress: (what, share) => void tell(what, share) });
    const { executor } = await selectExecutor(config.device as string, precisionOf(config));
    const onStep = () => (going = tell(`size ${size}`, ++done / all));
    return await measureCoordinates({ config, kinds, data, executor, steps, onStep });
  };
  const measured: Coordinates[][] = [];
  for (const { size, configs } of sizes) {
    const seeds: Coordinates[] = [];
    for (const config of configs) {
      seeds.push(await one(size, config));
      if (!going) return undefined;
    }
    measured.push(seeds);
  }
  return compareCoordinates(
    sizes.map(({ size }) => size),
    measured,
  );
}
