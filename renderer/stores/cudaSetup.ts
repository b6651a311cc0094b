/** Fetching NVIDIA's cuBLASLt, one step after the other, the same for all pages. */
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { useClient } from './client.ts';
import type { CudaSetup } from './contract.ts';
import { useToasts } from './toasts.ts';

type Step = 'setup.fetch' | 'setup.accept' | 'setup.cancel';

export const useCudaSetup = defineStore('cudaSetup', () => {
  const state = ref<CudaSetup | null>(null);
  const busy = computed(() => state.value?.phase === 'fetching' || state.value?.phase === 'keeping');

  async function take(step: Step): Promise<void> {
    try {
      state.value = await useClient().call(step, {});
    } catch (error) {
      useToasts().fail('Could not fetch cuBLASLt', error);
    }
  }

  return {
    state,
    busy,
    async load(): Promise<void> {
      state.value = await useClient().call('setup.get', {});
    },
    start: () => useClient().subscribe('setup', (now) => (state.value = now)),
    fetch: () => take('setup.fetch'),
    accept: () => take('setup.accept'),
    cancel: () => take('setup.cancel'),
  };
});
