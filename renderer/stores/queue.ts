import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { LIMITS } from '../../preload/contract/limits.ts';
import { useClient } from './client.ts';
import type { QueueState } from './contract.ts';
import { partsOf, wayBack } from './queueOrder.ts';
import type { Move } from './queueOrder.ts';
import { finished, inTraining, queueTimes, secondsAhead } from './queueTimes.ts';
import type { TimedRun } from './queueTimes.ts';
import { useRuns } from './runs.ts';
import { useSweeps } from './sweeps.ts';
import { useToasts } from './toasts.ts';

/** What trains, what waits in which order, and the switches of the queue. */
export const useQueue = defineStore('queue', () => {
  const runs = useRuns();
  const sweeps = useSweeps();
  const state = shallowRef<QueueState | null>(null);
  const length = computed(() => (state.value === null ? 0 : state.value.running.length + state.value.waiting.length));

  // By itself, since it changes less often than what trains.
  const took = computed(() => finished(runs.byId.values()));
  /** Seconds from now, by run; of those for which it can be told. While the queue is paused only what trains has times. */
  const times = computed(() => {
    const { running = [], waiting = [], concurrency = 1, paused = false } = state.value ?? {};
    const training = running.flatMap((id) => {
      const run = runs.get(id);
      return run === undefined ? [] : [{ run, progress: runs.progress.get(id) }];
    });
    const alike = inTraining(training);
    const limitOf = (sweepId: string | null | undefined): number =>
      (sweepId == null ? null : sweeps.get(sweepId)?.concurrencyLimit) ?? Infinity;
    const timed = (id: string): TimedRun => {
      const run = runs.get(id);
      const limit = limitOf(run?.sweepId);
      return { id, limit, seconds: run === undefined ? null : secondsAhead(run, took.value, alike) };
    };
    const busy = training.map(({ run, progress }) => {
      // Before it knows itself, what runs like it took.
      const seconds = progress?.eta ?? secondsAhead(run, took.value, alike);
      return { id: run.id, limit: limitOf(run.sweepId), seconds };
    });
    return queueTimes(busy, paused ? [] : waiting.map(timed), concurrency);
  });
  /** Until nothing trains or waits any more; null where that is not known. Seconds. */
  const secondsLeft = computed(() => {
    const { running = [], waiting = [] } = state.value ?? {};
    let last = 0;
    for (const id of [...running, ...waiting]) {
      const end = times.value.get(id)?.end ?? null;
      if (end === null) return null;
      last = Math.max(last, end);
    }
    return last;
  });

  async function load(): Promise<void> {
    state.value = await useClient().call('queue.get', {});
  }

  function start(): void {
    useClient().subscribe('queue', (now) => (state.value = now));
  }

  async function act(what: string, change: () => Promise<QueueState>): Promise<boolean> {
    try {
      state.value = await change();
      return true;
    } catch (error) {
      useToasts().fail(what, error);
      return false;
    }
  }

  async function send(moves: readonly Move[]): Promise<boolean> {
    for (const part of moves.flatMap((each) => partsOf(each, LIMITS.values))) {
      const { ids, before } = part;
      // In their order: each stands behind the one before.
      // oxlint-disable-next-line no-await-in-loop
      if (!(await act('Could not move in the queue', () => useClient().call('queue.move', { ids: [...ids], before }))))
        return false;
    }
    return true;
  }

  /** @returns whether it was done; what takes it back, where somebody wants that */
  async function move(to: Move): Promise<(() => Promise<boolean>) | undefined> {
    const order = state.value?.waiting ?? [];
    if (!(await send([to]))) return undefined;
    return () => send(wayBack(order, to.ids, state.value?.waiting ?? []));
  }

  return {
    state,
    length,
    times,
    secondsLeft,
    load,
    start,
    move,
    pause: () => act('Could not pause the queue', () => useClient().call('queue.pause', {})),
    resume: () => act('Could not resume the queue', () => useClient().call('queue.resume', {})),
    setConcurrency: (concurrency: number) =>
      act('Could not change how many runs train at once', () =>
        useClient().call('queue.setConcurrency', { concurrency }),
      ),
  };
});
