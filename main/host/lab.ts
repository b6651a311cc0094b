/**
 * The composition root: builds the lab from its parts for whoever serves it (the command line now; the app and the browser
 * server later). Never imports Electron.
 *
 *     const workshop = await loadWorkshop({ home, plugins });   // settings and plug-ins; touches no database
 *     using lab = await openLab(workshop, { write: true });     // the run database, and the queue over it
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MetricCatalog } from '../../preload/shared/metrics.ts';
import { useDataFolder } from '../engine/executors/dataFolder.ts';
import { metricCatalog } from '../engine/train/measures/index.ts';
import { removeAbandoned } from '../files/leftovers.ts';
import { removeStale, removeStaleBelow } from '../files/atomic.ts';
import { loadPlugins, registryWithPlugins } from '../lab/settings/plugins.ts';
import type { Plugin } from '../lab/settings/plugins.ts';
import type { SettingsRegistry } from '../lab/settings/registry.ts';
import { reconcileCheckpoints } from '../lab/queue/checkpoints.ts';
import { findCards, NO_CARDS } from '../lab/queue/places/cards.ts';
import type { Cards } from '../lab/queue/places/cards.ts';
import { LocalPlace } from '../lab/queue/places/local.ts';
import type { LocalPlaceOptions } from '../lab/queue/places/local.ts';
import { RunQueue } from '../lab/queue/queue.ts';
import type { QueueOptions } from '../lab/queue/queue.ts';
import type { LaunchEngine } from '../lab/queue/engine.ts';
import { openStore } from '../store/index.ts';
import type { Store } from '../store/index.ts';
import { engineLauncher } from './engineProcess.ts';
import { endLeftovers } from './leftovers.ts';
import { dataHome, labPaths } from './paths.ts';
import type { LabPaths } from './paths.ts';
import { closeHome } from './private.ts';
import { codeVersion } from './version.ts';

export interface WorkshopOptions {
  /** `--data-dir`. */
  readonly home?: string;
  /** Plug-in files or folders beside the data folder's own. */
  readonly plugins?: readonly string[];
  /** Leaves all plug-ins out, to be able to say what is wrong with one. */
  readonly withoutPlugins?: boolean;
}

/** Everything that needs no database: which settings there are, and where things lie. */
export interface Workshop {
  readonly paths: LabPaths;
  readonly registry: SettingsRegistry;
  readonly metrics: MetricCatalog;
  readonly plugins: readonly Plugin[];
  readonly codeVersion: string;
}

/** @throws PluginError naming the file that is wrong */
export async function loadWorkshop(options: WorkshopOptions = {}): Promise<Workshop> {
  const paths = labPaths(dataHome(options.home));
  useDataFolder(paths.home);
  const named = (options.plugins ?? []).map((path) => resolve(path));
  const plugins = options.withoutPlugins ? [] : await loadPlugins(named, { own: paths.plugins });
  const registry = registryWithPlugins(plugins);
  return {
    paths,
    plugins,
    registry,
    metrics: metricCatalog(registry.catalog),
    codeVersion: codeVersion(),
  };
}

export interface Lab extends Workshop, Disposable {
  readonly store: Store;
  /** Those that its queue gives runs to; none in a lab that only reads. */
  readonly cards: Cards;
  /** A queue over this lab's database, which trains on this machine. One at a time. */
  queue(options: LabQueueOptions): RunQueue;
  close(): void;
}

export type LabQueueOptions = Omit<QueueOptions, 'store' | 'place'> &
  Pick<LocalPlaceOptions, 'places' | 'patience' | 'programs'>;

export interface OpenLabOptions {
  /** True takes the place of the one writer: it creates the database when there is none and stops runs whose process is gone. */
  readonly write: boolean;
  /** Makes engines; another one for tests. */
  readonly launch?: LaunchEngine;
  /** Looks for cards; another one for tests. */
  readonly cards?: () => Promise<Cards>;
}

/** @throws StoreError `missing` when reading a database that does not exist yet, `locked` when another process writes */
export async function openLab(workshop: Workshop, { write, launch, cards: found }: OpenLabOptions): Promise<Lab> {
  const { paths, plugins, registry } = workshop;
  if (write) closeHome(paths);
  const store = openStore(paths.database, {
    readOnly: !write,
    completeConfig: (config) => registry.catalog.complete(config),
  });
  let cards = NO_CARDS;
  try {
    if (write) {
      cards = await (found ?? findCards)();
      // In this order: only the one writer may take engines for orphans, and only then may their runs begin again.
      await endLeftovers(paths.engines);
      await removeAbandoned(paths.exports);
      store.outside.dropUnfinished();
      await rm(paths.imports, { recursive: true, force: true });
      // What a removal of runs for good had begun.
      await removeStale(paths.checkpoints, 0);
      await removeStale(paths.files, 0);
      // Others prepare texts and check runs beside the one writer: only what they cannot finish any more.
      await removeStaleBelow(paths.cache);
      for (const { id } of store.stopOrphans()) reconcileCheckpoints(store, id, join(paths.checkpoints, id));
    }
  } catch (error) {
    store.close();
    throw error;
  }
  const start = launch ?? engineLauncher({ notes: paths.engines });
  return {
    ...workshop,
    store,
    cards,
    queue: ({ places, patience, programs, ...options }) => {
      const folders = { checkpoints: paths.checkpoints, cache: paths.cache, home: paths.home };
      const files = plugins.map(({ file }) => file);
      const training = { store, launch: start, folders, plugins: files, codeVersion: workshop.codeVersion };
      return new RunQueue({
        ...options,
        store,
        place: new LocalPlace({ ...training, places, patience, programs, cards }),
      });
    },
    close: () => store.close(),
    [Symbol.dispose]: () => store.close(),
  };
}
