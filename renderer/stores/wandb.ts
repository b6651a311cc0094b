/** The endpoint for scripts that report through the W&B client. */
import { defineStore } from 'pinia';
import { ref } from 'vue';
import { useClient } from './client.ts';
import type { WandbState } from './contract.ts';
import { useToasts } from './toasts.ts';

export const useWandb = defineStore('wandb', () => {
  const state = ref<WandbState | null>(null);
  const busy = ref(false);

  async function change(what: string, call: () => Promise<WandbState>): Promise<void> {
    busy.value = true;
    try {
      state.value = await call();
    } catch (error) {
      useToasts().fail(what, error);
    } finally {
      busy.value = false;
    }
  }

  return {
    state,
    busy,
    async load(): Promise<void> {
      state.value = await useClient().call('wandb.get', {});
    },
    start: () => useClient().subscribe('wandb', (now) => (state.value = now)),
    turn: (on: boolean) =>
      change(on ? 'Could not listen for scripts' : 'Could not stop listening', () =>
        useClient().call('wandb.switch', { on }),
      ),
    revoke: () => change('Could not make a new key', () => useClient().call('wandb.revoke', {})),
  };
});
