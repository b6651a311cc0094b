/** When runs of the queue begin and end, against a clock that ticks; and what the store sends. */
import { describe, expect, it } from 'vitest';
import { useQueue } from '../../../renderer/stores/queue.ts';
import { queueTimes } from '../../../renderer/stores/queueTimes.ts';
import type { TimedRun } from '../../../renderer/stores/queueTimes.ts';
import { useRuns } from '../../../renderer/stores/runs.ts';
import { useSweeps } from '../../../renderer/stores/sweeps.ts';
import { random, SEED } from '../../oracles/random.ts';
import { testLab, testRun } from './support.ts';

/** The rule of the queue, second by second. */
function byClock(
  training: readonly TimedRun[],
  waiting: readonly TimedRun[],
  places: number,
): Map<string, [number, number]> {
  const times = new Map(training.map(({ id, seconds }) => [id, [0, seconds!] as [number, number]]));
  let beside = training.map((run) => ({ ...run }));
  const left = [...waiting];
  for (let now = 0; left.length > 0; now++) {
    beside = beside.filter(({ id }) => times.get(id)![1] > now);
    for (;;) {
      const [next] = left;
      if (next === undefined || beside.length >= places || beside.length >= next.limit) break;
      if (beside.some(({ limit }) => beside.length >= limit)) break;
      times.set(next.id, [now, now + next.seconds!]);
      beside.push({ ...next });
      left.shift();
    }
  }
  return times;
}

const run = (id: string, seconds: number | null, limit = Infinity): TimedRun => ({ id, seconds, limit });

describe('the times of the queue', () => {
  it(`are those of a clock (seed ${SEED}; would catch a run that overtakes, or a limit that only the next run has)`, () => {
    const dice = random();
    for (let round = 0; round < 300; round++) {
      const places = dice.integer(1, 4);
      const some = (name: string, n: number): TimedRun[] =>
        Array.from({ length: n }, (_, i) =>
          run(`${name}${i}`, dice.integer(1, 20), dice.integer(0, 2) === 0 ? dice.integer(1, 3) : Infinity),
        );
      const training = some('t', dice.integer(0, places));
      const waiting = some('w', dice.integer(0, 11));
      const found = queueTimes(training, waiting, places);
      const expected = byClock(training, waiting, places);
      expect(found.size).toBe(expected.size);
      for (const [id, [begin, end]] of expected)
        expect(found.get(id), `${id} of round ${round}`).toEqual({ begin, end });
    }
  });

  it('end where something unknown must be waited for, and not before', () => {
    const found = queueTimes([run('t', null)], [run('a', 5), run('b', 5), run('c', null), run('d', 5)], 3);
    expect([...found]).toEqual([
      ['t', { begin: 0, end: null }],
      ['a', { begin: 0, end: 5 }],
      ['b', { begin: 0, end: 5 }],
    ]);
  });

  it('come from runs of the same settings, else of the same sweep, less what is done already', () => {
    testLab();
    const queue = useQueue();
    const runs = useRuns();
    const done = (id: string, settingKey: string, seconds: number, more = {}) =>
      testRun(id, {
        state: 'finished',
        sweepId: 's',
        settingKey,
        attempt: 1,
        steps: 100,
        startedAt: 0,
        endedAt: 1000 * seconds,
        trained: 1000 * seconds,
        ...more,
      });
    const list = [
      done('d1', 'small', 10),
      done('d2', 'small', 20),
      done('d3', 'large', 60),
      // One slow run among many does not bend them.
      done('d5', 'many', 7),
      done('d6', 'many', 8),
      done('d7', 'many', 4000),
      // What it waited between its attempts is no part of it.
      done('d4', 'small', 15, { attempt: 2, endedAt: 9_999_000 }),
      testRun('w1', { sweepId: 's', settingKey: 'small' }),
      testRun('w2', { sweepId: 's', settingKey: 'large', steps: 25 }),
      testRun('w3', { sweepId: 's', settingKey: 'new' }),
      testRun('w4', { sweepId: 's', settingKey: 'many' }),
      testRun('w5', { sweepId: 'other', settingKey: 'small' }),
    ];
    runs.byId = new Map(list.map((each) => [each.id, each]));
    queue.state = {
      paused: false,
      trouble: null,
      concurrency: 1,
      running: [],
      waiting: ['w1', 'w2', 'w3', 'w4', 'w5'],
    };
    expect([...queue.times.values()].map(({ begin, end }) => [begin, end])).toEqual([
      [0, 15],
      [15, 60],
      // All of the sweep: 7, 8, 10, 20, 60, 4000.
      [60, 75],
      [75, 83],
      [83, null],
    ]);
    expect(queue.secondsLeft).toBeNull();
    queue.state = { ...queue.state, waiting: ['w1', 'w2', 'w3'] };
    expect(queue.secondsLeft).toBe(75);
    // While it is paused nothing begins.
    queue.state = { ...queue.state, paused: true };
    expect(queue.times.size).toBe(0);
    expect(queue.secondsLeft).toBeNull();
  });

  it('come from what trains, where nothing has finished, and heed the limit of its sweep', () => {
    testLab();
    const queue = useQueue();
    const runs = useRuns();
    const at = { step: 50, plannedSteps: 100, tokens: 0, phase: 'training', tokensPerSecond: null };
    const list = ['r', 'w1', 'w2'].map((id) =>
      testRun(id, { sweepId: 's', ...(id === 'r' ? { state: 'running' } : {}) }),
    );
    runs.byId = new Map(list.map((each) => [each.id, each]));
    runs.progress = new Map([['r', { runId: 'r', fraction: 0.5, eta: 30, ...at }]]);
    queue.state = { paused: false, trouble: null, concurrency: 4, running: ['r'], waiting: ['w1', 'w2'] };
    expect(queue.times.get('w2')).toEqual({ begin: 0, end: 60 });
    useSweeps().byId = new Map([['s', { id: 's', concurrencyLimit: 1 } as never]]);
    expect(queue.times.get('w1')).toEqual({ begin: 30, end: 90 });
    expect(queue.secondsLeft).toBe(150);
  });
});

describe('the queue', () => {
  it('moves runs, and takes it back (would catch an undo that is lost)', async () => {
    let waiting = ['a', 'b', 'c', 'd'];
    const now = () => ({ paused: false, trouble: null, concurrency: 1, running: [], waiting });
    const lab = testLab({
      'queue.get': now,
      'queue.move': ({ ids, before }: { ids: string[]; before: string | null }) => {
        const rest = waiting.filter((id) => !ids.includes(id));
        const at = before === null ? rest.length : rest.indexOf(before);
        waiting = [...rest.slice(0, at), ...ids, ...rest.slice(at)];
        return now();
      },
    });
    const queue = useQueue();
    await queue.load();
    const back = await queue.move({ ids: ['d', 'b'], before: 'a' });
    expect(queue.state!.waiting).toEqual(['d', 'b', 'a', 'c']);
    await back!();
    expect(queue.state!.waiting).toEqual(['a', 'b', 'c', 'd']);
    lab.routes['queue.move'] = () => {
      throw new Error('run b is running');
    };
    expect(await queue.move({ ids: ['b'], before: null })).toBeUndefined();
  });
});
