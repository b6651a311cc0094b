import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { useClient } from './client.ts';
import type { QueueState } from './contract.ts';
import { useToasts } from './toasts.ts';

export const useQueue = defineStore('queue', () => {
  const state = ref<QueueState | null>(null);
  const length = computed(() => (state.value === null ? 0 : state.value.running.length + state.value.waiting.length));

  async function load(): Promise<void> {
    state.value = await useClient().call('queue.get', {});
  }

  function start(): void {
    useClient().subscribe('queue', (now) => (state.value = now));
  }

  async function act(what: string, change: () => Promise<QueueState>): Promise<void> {
    try {
      state.value = await change();
    } catch (error) {
      useToasts().fail(what, error);
    }
  }

  return {
    state,
    length,
    load,
    start,
    pause: () => act('Could not pause the queue', () => useClient().call('queue.pause', {})),
    resume: () => act('Could not resume the queue', () => useClient().call('queue.resume', {})),
    setConcurrency: (concurrency: number) =>
      act('Could not change how many runs train at once', () =>
        useClient().call('queue.setConcurrency', { concurrency }),
      ),
  };
});
