/** Curves over the connection. */
import type { Series } from '../../../preload/contract/metrics.ts';
import type { ReadSeries } from '../data/reader.ts';
import { useClient } from '../../stores/client.ts';

export const readSeries: ReadSeries = async ({ runs, metric, x, from, to, maxPoints }, signal) => {
  const answer = await useClient().call('series.read', { runs: [...runs], metric, x, from, to, maxPoints }, { signal });
  const found = new Map<string, Series>();
  for (const each of answer.series as readonly (Series & { readonly runId: string })[]) found.set(each.runId, each);
  return found;
};
