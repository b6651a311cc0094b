import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Events } from '../../preload/contract/api.ts';
import { unpackSeries } from '../../preload/contract/seriesTable.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';

let serving: Serving;
beforeAll(async () => {
  serving = await startServing();
});
afterAll(() => serving.close());

const TINY = {
  'data.size': 20_000,
  'model.context': 16,
  'model.depth': 1,
  'model.width': 16,
  'model.heads': 2,
  'batch.sequences': 4,
  'eval.every_steps': 0,
  'stop.steps': 20,
  device: 'tfjs-cpu',
};

describe('the client over a WebSocket', () => {
  it('launches a sweep, sees its points live and its end, and so does a second client (would catch events for the caller alone)', async () => {
    const clients = [await serving.client(), await serving.client()];
    const points = new Map<string, number>();
    const ends = clients.map((client, i) => {
      client.subscribe('points', ({ runs }) => {
        if (i === 1)
          for (const { runId, columns } of runs)
            for (const { metric, steps, values } of columns) {
              expect(steps).toBeInstanceOf(Float64Array);
              expect(values).toHaveLength(steps.length);
              if (metric === 'train/loss') points.set(runId, (points.get(runId) ?? 0) + steps.length);
            }
      });
      return new Promise<void>((resolve) => {
        const done = new Set<string>();
        client.subscribe('runs', ({ runs }: Events['runs']) => {
          for (const { id, state } of runs) if (state === 'finished') done.add(id);
          if (done.size === 2) resolve();
        });
      });
    });
    const [client] = clients;
    const draft = { settings: TINY, parameters: { 'optimizer.lr': { values: [0.001, 0.01] } } };
    const plan = await client!.call('sweeps.plan', { draft });
    expect(plan).toMatchObject({ runs: 2, problems: [] });
    const { sweepId, runIds } = await client!.call('sweeps.launch', { draft });
    await Promise.all(ends);
    const series = unpackSeries((await client!.call('series.read', { runs: runIds, metric: 'train/loss' })).series);
    expect(series.map(({ step }) => step.length)).toEqual([20, 20]);
    const { sweep } = await client!.call('sweeps.get', { id: sweepId });
    expect(sweep.counts.finished).toBe(2);
    // What comes live and what was read again is at most everything; the last frame may still be on its way.
    expect(Math.max(...points.values())).toBeGreaterThan(0);

    const { url, bytes } = await client!.call('export.runs', { runs: runIds });
    const file = await serving.get(`/${url}`, { cookie: await serving.cookie() });
    expect(file.status).toBe(200);
    expect(Buffer.byteLength(file.body)).toBe(bytes);
    expect(file.headers['content-disposition']).toMatch(/^attachment/u);
  }, 60_000);

  it('says what is wrong with an input and stays usable (would catch unchecked input)', async () => {
    const client = await serving.client();
    await expect(client.call('runs.get', { id: 7 } as never)).rejects.toMatchObject({ code: 'input' });
    await expect(client.call('no.route' as never, {} as never)).rejects.toMatchObject({ code: 'route' });
    await expect(client.call('runs.get', { id: 'none' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.call('export.runs', { runs: [], path: '/tmp/x.csv' })).rejects.toMatchObject({ code: 'input' });
    expect((await client.call('app.info', {})).instance).toBe(serving.lab.instance);
  });

  it('connects again after a loss and keeps its subscriptions (would catch a page that stays still after a sleep)', async () => {
    const client = await serving.client();
    const states: string[] = [];
    let opened = 0;
    const again = new Promise<void>((resolve) => {
      client.onState((state) => {
        states.push(state);
        if (state === 'open' && ++opened === 2) resolve();
      });
    });
    await client.call('app.info', {});
    let told: (concurrency: number) => void;
    const heard = new Promise<number>((resolve) => (told = resolve));
    client.subscribe('queue', ({ concurrency }) => opened === 2 && concurrency === 3 && told(concurrency));
    // The server ends every connection, as a restart would.
    serving.dropConnections();
    await again;
    await client.call('queue.setConcurrency', { concurrency: 3 });
    expect(await heard).toBe(3);
    expect(states).toEqual(['connecting', 'open', 'lost', 'open']);
  });
});
