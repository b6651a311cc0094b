import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { unpackRuns } from '../../preload/contract/runTable.ts';
import { useClient } from './client.ts';
import type { Progress, RunRecord } from './contract.ts';
import { useRecords } from './records.ts';
import { useToasts } from './toasts.ts';

/** Every run of the database, kept current by events, and where the running ones stand. */
export const useRuns = defineStore('runs', () => {
  const records = useRecords<RunRecord>((run) => run.deletedAt !== null);
  const progress = shallowRef<ReadonlyMap<string, Progress>>(new Map());
  const loaded = ref(false);
  const running = computed(() => records.list.value.filter((run) => run.state === 'running'));

  async function load(): Promise<void> {
    const { runs } = await useClient().call('runs.list', { filter: {} });
    records.fill(unpackRuns(runs));
    loaded.value = true;
  }

  function start(): void {
    const client = useClient();
    client.subscribe('runs', ({ runs }) => {
      records.merge(runs);
      const done = runs.filter((run) => run.state !== 'running' && progress.value.has(run.id));
      if (done.length === 0) return;
      const next = new Map(progress.value);
      for (const run of done) next.delete(run.id);
      progress.value = next;
    });
    client.subscribe('progress', ({ progress: news }) => {
      const next = new Map(progress.value);
      for (const each of news) next.set(each.runId, each);
      progress.value = next;
    });
  }

  const get = (id: string): RunRecord | undefined => records.byId.value.get(id);

  /** Fetches one that is not in the list, for example from the bin. */
  async function fetch(id: string): Promise<RunRecord> {
    const { run } = await useClient().call('runs.get', { id });
    records.merge([run]);
    return run;
  }

  async function act(what: string, change: () => Promise<{ run: RunRecord }>): Promise<boolean> {
    try {
      const { run } = await change();
      records.merge([run]);
      return true;
    } catch (error) {
      useToasts().fail(what, error);
      return false;
    }
  }

  const name = (id: string): string => get(id)?.name ?? id;

  /** Saves first, so nothing is lost: instead of a question there is a way back. One that waits keeps its place in the queue. */
  async function stop(id: string): Promise<boolean> {
    const label = name(id);
    const waits = get(id)?.state === 'queued';
    if (!(await act(`Could not stop ${label}`, () => useClient().call('runs.stop', { id })))) return false;
    const message = waits ? `${label} will not train` : `Stopping ${label}; its present step is saved`;
    useToasts().show({ message, duration: 10_000, action: { label: 'Resume', run: () => resume(id) } });
    return true;
  }
  const resume = (id: string) => act(`Could not resume ${name(id)}`, () => useClient().call('runs.resume', { id }));
  /** @returns the id of the new run, beside the old one; undefined when there is none */
  async function rerun(id: string): Promise<string | undefined> {
    let again: string | undefined;
    await act(`Could not rerun ${name(id)}`, async () => {
      const answer = await useClient().call('runs.rerun', { id });
      again = answer.run.id;
      return answer;
    });
    return again;
  }
  const tag = (id: string, tags: string[]) =>
    act(`Could not tag ${name(id)}`, () => useClient().call('runs.tag', { id, tags }));
  const note = (id: string, text: string) =>
    act(`Could not note on ${name(id)}`, () => useClient().call('runs.note', { id, note: text }));

  async function rename(id: string, to: string): Promise<void> {
    const before = name(id);
    if (
      before === to ||
      !(await act(`Could not rename ${before}`, () => useClient().call('runs.rename', { id, name: to })))
    )
      return;
    useToasts().undoable(`Renamed ${before} to ${to}`, () =>
      act('Could not undo', () => useClient().call('runs.rename', { id, name: before })),
    );
  }

  async function remove(id: string): Promise<void> {
    const label = name(id);
    if (!(await act(`Could not delete ${label}`, () => useClient().call('runs.remove', { id })))) return;
    useToasts().undoable(`Deleted ${label}`, () =>
      act('Could not restore', () => useClient().call('runs.restore', { id })),
    );
  }

  return {
    byId: records.byId,
    list: records.list,
    loaded,
    running,
    progress,
    load,
    start,
    get,
    fetch,
    stop,
    resume,
    rerun,
    rename,
    tag,
    note,
    remove,
  };
});
