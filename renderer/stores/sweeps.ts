import { defineStore } from 'pinia';
import { ref } from 'vue';
import { plural } from '../../preload/shared/format.ts';
import { useClient } from './client.ts';
import type { SweepRecord } from './contract.ts';
import { useRecords } from './records.ts';
import { useToasts } from './toasts.ts';

export interface SweepProgress {
  /** Runs that came to an end of their own. One that was stopped has not: it can be resumed. */
  readonly done: number;
  readonly total: number;
  /** `12 runs`, `5 of 12 runs finished, 2 failed, 5 stopped`. */
  readonly words: string;
}

/** How far a sweep is. */
export function sweepDone({ counts }: Pick<SweepRecord, 'counts'>): SweepProgress {
  const { queued, running, finished, failed, stopped } = counts;
  const total = finished + failed + stopped + queued + running;
  const rest = [failed > 0 ? `${failed} failed` : '', stopped > 0 ? `${stopped} stopped` : ''].filter(Boolean);
  const all = plural(total, 'run');
  const words = finished === total ? all : [`${finished} of ${all} finished`, ...rest].join(', ');
  return { done: finished + failed, total, words };
}

/** A sweep whose runs all lie in the bin lies there with them. */
export const useSweeps = defineStore('sweeps', () => {
  const records = useRecords<SweepRecord>((sweep) => sweepDone(sweep).total === 0);
  const loaded = ref(false);

  async function load(): Promise<void> {
    const { sweeps } = await useClient().call('sweeps.list', {});
    records.fill(sweeps);
    loaded.value = true;
  }

  function start(): void {
    useClient().subscribe('sweeps', ({ sweeps }) => records.merge(sweeps));
  }

  const get = (id: string): SweepRecord | undefined => records.byId.value.get(id);
  const name = (id: string): string => get(id)?.name ?? id;

  async function act(what: string, change: () => Promise<{ sweep: SweepRecord }>): Promise<boolean> {
    try {
      const { sweep } = await change();
      records.merge([sweep]);
      return true;
    } catch (error) {
      useToasts().fail(what, error);
      return false;
    }
  }

  /** The running runs save first and the waiting ones keep their place: resuming goes on as if nothing had been. */
  async function stop(id: string): Promise<boolean> {
    const label = name(id);
    if (!(await act(`Could not stop ${label}`, () => useClient().call('sweeps.stop', { id })))) return false;
    const action = { label: 'Resume', run: () => resume(id) };
    useToasts().show({ message: `Stopping ${label}; what trains is saved`, duration: 10_000, action });
    return true;
  }
  const resume = (id: string) => act(`Could not resume ${name(id)}`, () => useClient().call('sweeps.resume', { id }));
  const retryFailed = (id: string) =>
    act(`Could not retry ${name(id)}`, () => useClient().call('sweeps.retryFailed', { id }));

  /** At most so many runs at a time while one of it trains; null: no limit of its own. */
  const limit = (id: string, most: number | null) =>
    act(`Could not limit ${name(id)}`, () => useClient().call('sweeps.limit', { id, limit: most }));

  async function rename(id: string, to: string): Promise<void> {
    const before = name(id);
    if (
      before === to ||
      !(await act(`Could not rename ${before}`, () => useClient().call('sweeps.rename', { id, name: to })))
    )
      return;
    useToasts().undoable(`Renamed ${before} to ${to}`, () =>
      act('Could not undo', () => useClient().call('sweeps.rename', { id, name: before })),
    );
  }

  async function remove(id: string): Promise<boolean> {
    const label = name(id);
    if (!(await act(`Could not delete ${label}`, () => useClient().call('sweeps.remove', { id })))) return false;
    useToasts().undoable(`Deleted ${label}`, () => restore(id));
    return true;
  }
  /** Out of the bin, with its runs. */
  const restore = (id: string) =>
    act(`Could not restore ${name(id)}`, () => useClient().call('sweeps.restore', { id }));

  return {
    byId: records.byId,
    list: records.list,
    loaded,
    load,
    start,
    get,
    name,
    stop,
    resume,
    retryFailed,
    limit,
    rename,
    remove,
    restore,
  };
});
