/** What every probe needs before it trains. */
import type { Config } from '../../../preload/contract/settings.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import type { Kinds } from '../../engine/kind.ts';
import { prepareData } from '../../engine/train/dataset.ts';
import { precisionOf } from '../../engine/nn/precision.ts';

export interface ProbeRequest {
  readonly config: Config;
  readonly kinds: Kinds;
  readonly cache: string;
  /** Most updates. */
  readonly steps: number;
  /** Called with what is being done, and the share of it; false ends the probe after this step. */
  readonly onProgress?: (what: string, share?: number) => boolean;
}

/** @throws DataError, ExecutorUnavailableError */
export async function prepareProbe({ config, kinds, cache, onProgress }: ProbeRequest) {
  const data = await prepareData({ config, kinds, cache, onProgress: (what, share) => void onProgress?.(what, share) });
  const { executor } = await selectExecutor(config.device as string, precisionOf(config));
  return { data, executor };
}
