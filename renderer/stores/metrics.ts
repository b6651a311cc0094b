import { defineStore } from 'pinia';
import { markRaw, shallowRef } from 'vue';
import { MetricCatalog } from '../../preload/shared/metrics.ts';
import { useClient } from './client.ts';

/** What is known of each metric, as the lab declares it. Before it has answered, what their names tell. */
export const useMetrics = defineStore('metrics', () => {
  const catalog = shallowRef(markRaw(new MetricCatalog([])));

  async function load(): Promise<void> {
    const { specs } = await useClient().call('metrics.list', {});
    catalog.value = markRaw(new MetricCatalog(specs));
  }
  return { catalog, load, start: (): void => undefined };
});
