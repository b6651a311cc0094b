/**
 * A data folder made by an earlier version (test/fixtures/earlierHome, by 0.1.0+5d95a3f6 on tfjs-cpu, whose arithmetic is the same on
 * every machine): a sweep that finished, and one configuration trained twice, `whole` to its end and `stopped` at step 20.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { removeHome, temporaryHome } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/earlierHome', import.meta.url));
const expected = JSON.parse(readFileSync(join(FIXTURE, 'expected.json'), 'utf8')) as {
  sample: { text: string; tokens: number };
  ranking: { settings: Record<string, unknown>; n: number; mean: number }[];
};
const TIMINGS = new Set(['seconds', 'tokens_per_second', 'system/memory']);

const home = temporaryHome();
beforeAll(() => {
  cpSync(FIXTURE, home, { recursive: true });
  const database = new DatabaseSync(join(home, 'runs.sqlite'));
  database.prepare(`UPDATE checkpoints SET path = replace(path, 'HOME', ?)`).run(home);
  database.close();
});
afterAll(() => removeHome(home));

function seriesOf(name: string): Record<string, [number, number][]> {
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    const { id } = store.resolveRun(name);
    const metrics = store.metricNames(id).filter((metric) => !TIMINGS.has(metric));
    return Object.fromEntries(
      metrics.toSorted().map((metric) => {
        const { step, value } = store.readAll(id, metric);
        return [metric, Array.from(step, (at, i): [number, number] => [at, value[i]!])];
      }),
    );
  } finally {
    store.close();
  }
}

describe('runs of an earlier version', () => {
  it('rank as they did (would catch settings, seeds or results that are read differently now)', async () => {
    const { settings } = await jsonInside<{
      settings: { settings: object; statistics: Record<string, { n: number; mean: number }> }[];
    }>(home, ['runs', 'compare', '--sweep', 'lr']);
    const ranking = settings
      .map(({ settings: own, statistics }) => ({
        settings: own,
        n: statistics['val/bpb']!.n,
        mean: statistics['val/bpb']!.mean,
      }))
      .toSorted((a, b) => a.mean - b.mean);
    expect(ranking).toEqual(expected.ranking);
  });

  it('go on from their checkpoint to the same bits (would catch a changed name, graph, schedule or a missing setting)', async () => {
    const resumed = await inside(home, ['train', '--resume', 'stopped']);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    // Not from the beginning again, which would end at the same bits.
    expect(resumed.stdout).toMatch(/^step +30 /mu);
    expect(resumed.stdout).not.toMatch(/^step +10 /mu);
    const [whole, stopped] = [seriesOf('whole'), seriesOf('stopped')];
    expect(whole['val/loss']!.length).toBeGreaterThan(5);
    // Metrics that the earlier version did not know are measured beside.
    expect(stopped).toMatchObject(whole);
  });

  it('write the same text (would catch weights that are read into other places)', async () => {
    const flags = ['--tokens', '12', '--seed', '5', '--temperature', '0.8'];
    const { samples } = await jsonInside<{ samples: unknown[] }>(home, ['sample', 'whole', ...flags]);
    expect(samples).toEqual([expected.sample]);
  });
});
