import { defineStore } from 'pinia';
import { computed, onMounted, ref, watch } from 'vue';
import { useClient } from './client.ts';
import type { ConnectionState } from './client.ts';
import type { AppInfo } from './contract.ts';

/** Whether the lab answers, and what it is. `generation` grows at every (re)connection: stores load again then. */
export const useConnection = defineStore('connection', () => {
  const state = ref<ConnectionState>('connecting');
  const problem = ref<string | null>(null);
  const lostAt = ref<number | null>(null);
  const generation = ref(0);
  const app = ref<AppInfo | null>(null);
  const online = computed(() => state.value === 'open');

  function start(): void {
    const client = useClient();
    client.onState((now, error) => {
      const before = state.value;
      state.value = now;
      problem.value = error?.message ?? null;
      if (now === 'open') {
        lostAt.value = null;
        generation.value += 1;
        client.call('app.info', {}).then(
          (info) => (app.value = info),
          () => undefined,
        );
      } else if (before === 'open') {
        lostAt.value = Date.now();
      }
    });
  }

  return { state, problem, lostAt, generation, app, online, start };
});

/** In a component: calls `load` when it is shown, and again at every reconnection. */
export function whenConnected(load: () => Promise<void>): void {
  const connection = useConnection();
  onMounted(() => {
    watch(
      () => connection.generation,
      (generation) => {
        if (generation > 0) void load();
      },
      { immediate: true },
    );
  });
}
