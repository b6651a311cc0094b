import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { KindsList } from '../../preload/contract/shapes.ts';
import { useClient } from './client.ts';

/** Kinds that are chosen elsewhere than in a run's settings, as the lab has them with its plug-ins. */
export const useKinds = defineStore('kinds', () => {
  const formats = shallowRef<KindsList['formats']>([]);

  async function load(): Promise<void> {
    const found = await useClient().call('kinds.list', {});
    formats.value = found.formats;
  }
  return { formats, load, start: (): void => undefined };
});
