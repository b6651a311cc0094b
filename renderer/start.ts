/** Connects and keeps the shared stores current; called once, before the app is mounted. */
import { watch } from 'vue';
import { onArrival } from './connect/arrivals.ts';
import { startRouter } from './frame/router.ts';
import { ROUTES } from './routes.ts';
import { startTheme } from './stores/theme.ts';
import { registerCommands } from './commands/builtin.ts';
import { startKeys } from './commands/keys.ts';
import { startTaking } from './commands/takeFiles.ts';
import { runCommand } from './stores/keys/registry.ts';
import { useConnection } from './stores/connection.ts';
import { useCudaSetup } from './stores/cudaSetup.ts';
import { useClient } from './stores/client.ts';
import { useDevices } from './stores/devices.ts';
import { openedSweep } from './stores/openedSweep.ts';
import { usePrices } from './stores/prices.ts';
import { useKinds } from './stores/kinds.ts';
import { useMetrics } from './stores/metrics.ts';
import { useQueue } from './stores/queue.ts';
import { useRuns } from './stores/runs.ts';
import { useSweeps } from './stores/sweeps.ts';
import { useToasts } from './stores/toasts.ts';
import { useUpdates } from './stores/updates.ts';
import { useWandb } from './stores/wandb.ts';
import { navigate } from './frame/router.ts';

export function startLab(): void {
  startTheme();
  startRouter(ROUTES);
  registerCommands();
  startKeys();
  startTaking();
  onArrival({
    command: runCommand,
    path: navigate,
    open: (name, text) => {
      openedSweep.value = { name, text };
      navigate('/builder');
    },
  });
  const connection = useConnection();
  const stores = [
    useMetrics(),
    useKinds(),
    useRuns(),
    useSweeps(),
    useQueue(),
    useDevices(),
    usePrices(),
    useWandb(),
    useCudaSetup(),
    useUpdates(),
  ];
  for (const store of stores) store.start();
  const toasts = useToasts();
  useClient().subscribe('notice', (notice) => {
    const { level, message, details, path, about } = notice;
    const action = path === undefined ? undefined : { label: 'Show', run: () => navigate(path) };
    toasts.show({ level, message, details, action, ...(about === undefined ? {} : { about }) });
  });
  // Everything is read again after a reconnection: events may have been missed.
  watch(
    () => connection.generation,
    () => {
      for (const store of stores) {
        void store.load().catch((error: unknown) => {
          if (connection.online) toasts.fail('Could not load from the lab', error);
        });
      }
    },
  );
  connection.start();
}
