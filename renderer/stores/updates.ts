/** Whether there is a newer version of Sweeplab, where the user wants to know. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { useClient } from './client.ts';
import type { UpdateState } from './contract.ts';
import { useToasts } from './toasts.ts';

export const useUpdates = defineStore('updates', () => {
  const state = ref<UpdateState | null>(null);
  /** Said once. */
  let told: string | undefined;

  function take(now: UpdateState): void {
    state.value = now;
    if (now.newer === null || now.newer.version === told) return;
    const { version, page } = now.newer;
    told = version;
    useToasts().show({
      level: 'info',
      message: `Sweeplab ${version} is out`,
      action: { label: 'What is new', run: () => void open(page, '_blank', 'noopener') },
      about: 'updates',
    });
  }

  return {
    state,
    load: async (): Promise<void> => take(await useClient().call('updates.get', {})),
    start: () => useClient().subscribe('updates', take),
    async turn(on: boolean): Promise<void> {
      try {
        take(await useClient().call('updates.switch', { on }));
      } catch (error) {
        useToasts().fail('Could not keep that', error);
      }
    },
  };
});
