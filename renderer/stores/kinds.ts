import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { KindsList, MethodInfo } from '../../preload/contract/shapes.ts';
import { useClient } from './client.ts';

/** Kinds that are chosen elsewhere than in a run's settings, as the lab has them with its plug-ins. */
export const useKinds = defineStore('kinds', () => {
  const formats = shallowRef<KindsList['formats']>([]);
  const imports = shallowRef<KindsList['imports']>([]);
  const methods = shallowRef<KindsList['methods']>([]);
  /** The usual method that draws, for what cannot be listed. */
  const drawing = computed(() => methods.value.find(({ draws }) => draws));

  async function load(): Promise<void> {
    const found = await useClient().call('kinds.list', {});
    formats.value = found.formats;
    imports.value = found.imports;
    methods.value = found.methods;
  }
  const method = (name: string): MethodInfo | undefined => methods.value.find((each) => each.name === name);
  return { formats, imports, methods, method, drawing, load, start: (): void => undefined };
});
