/** Importing once more, by halves, and at the wrong moment. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { Files, importInto, pointsOf } from './importInto.ts';

let store: Store;
let folder: string;
let files: Files;
storeInFolder((made) => ({ store, folder } = made));
beforeEach(() => {
  files = new Files();
});
afterEach(() => files[Symbol.dispose]());

const TWO = 'run,seed,step,loss\na,1,1,3\na,1,2,2\nb,2,1,4\nb,2,2,3\n';

it('updates instead of doubling, and keeps the id and what was written here (would catch a second run for every import)', async () => {
  const path = files.write('t.csv', TWO);
  await importInto(store, [path]);
  const before = store.listRuns();
  store.updateRun(before[0]!.id, { note: 'mine', name: 'renamed', color: 5 });
  store.tagRuns([before[0]!.id], ['kept']);
  const same = await importInto(store, [path]);
  expect(same.preview.counts).toEqual({ new: 0, update: 0, same: 2, here: 0 });
  expect(same.result.points).toBe(0);

  appendFileSync(path, 'a,1,3,1\n');
  const more = await importInto(store, [path]);
  expect(more.preview.counts).toEqual({ new: 0, update: 1, same: 1, here: 0 });
  expect(more.result.updated).toEqual([before[0]!.id]);
  const after = store.listRuns();
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(after[0]).toMatchObject({
    note: 'mine',
    name: 'renamed',
    tags: ['kept'],
    steps: 3,
    sweepId: before[0]!.sweepId,
    createdAt: before[0]!.createdAt,
  });
  expect(pointsOf(store, before[0]!.id)).toEqual({
    loss: [
      [1, 3],
      [2, 2],
      [3, 1],
    ],
  });
  expect(store.listRuns({ deleted: 'only' })).toEqual([]);
  expect(store.check()).toEqual([]);
});

it('makes further runs where that is asked for, and brings back what was thrown away', async () => {
  const path = files.write('t.csv', TWO);
  await importInto(store, [path]);
  expect((await importInto(store, [path], { asNew: true })).preview.counts.new).toBe(2);
  expect(store.countRuns()).toBe(4);
  const [first] = store.listRuns();
  store.deleteRuns([first!.id]);
  const again = await importInto(store, [path]);
  expect(again.preview.counts).toMatchObject({ update: 1, same: 1 });
  expect(store.getRun(first!.id)!.deletedAt).toBeNull();
});

it('writes nothing where it is cancelled, and removes what a kill has left', async () => {
  const path = files.write('t.csv', TWO);
  const stop = new AbortController();
  const cancelled = importInto(store, [path], {
    signal: stop.signal,
    onPoints: () => stop.abort(new Error('enough')),
  } as never);
  await expect(cancelled).rejects.toThrow('enough');
  expect(store.countRuns({ deleted: 'any' })).toBe(0);
  expect(store.listSweeps()).toEqual([]);

  const of = { config: {}, seed: 1, settingKey: 'k', origin: 'import', state: 'finished' } as const;
  const [half] = store.outside.createUnseen([
    { ...of, name: 'half' },
    { ...of, name: 'none of it' },
  ]);
  await store.appendMetrics(half!, [{ metric: 'loss', steps: Float64Array.of(1), values: Float64Array.of(1) }]);
  store.close();
  const later = openStore(join(folder, 'runs.sqlite'));
  expect(later.listRuns()).toEqual([]);
  expect(later.outside.dropUnfinished()).toBe(2);
  expect(later.countRuns({ deleted: 'any' })).toBe(0);
  expect(later.check()).toEqual([]);
  later.close();
});

it('has times in whole milliseconds, whatever a file says (would catch a start of MLflow that the database refuses)', async () => {
  const meta = (id: number, start: string): string =>
    `run_id: r${id}\nrun_name: n\nstatus: 3\nstart_time: ${start}\nend_time: ${start}\n`;
  for (const [i, start] of ['1700000000000.5', '.inf', '1e300', '-3'].entries()) {
    files.write(`t${i}/mlruns/1/r/meta.yaml`, meta(i, start));
    files.write(`t${i}/mlruns/1/r/metrics/loss`, '1700000001000 3.5 0\n');
    await importInto(store, [join(files.folder, `t${i}`)]);
  }
  expect(store.listRuns()).toHaveLength(4);
  expect(store.check()).toEqual([]);
});

it('refuses what it cannot read in words, and reads the rest (would catch a folder that fails for one file)', async () => {
  await expect(importInto(store, [join(files.folder, 'gone.csv')])).rejects.toThrow('is not there');
  const picture = files.write(
    'a.csv',
    Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) % 256),
  );
  await expect(importInto(store, [picture])).rejects.toThrow(/a\.csv/u);
  await expect(importInto(store, [files.write('b.txt', 'hello\nworld\n')])).rejects.toThrow(/nothing to import.*CSV/su);
  const archive = files.write('c.zip', 'PK\u0003\u0004 and nothing more');
  await expect(importInto(store, [archive])).rejects.toThrow(/c\.zip ends too early/u);
  const noRun = await importInto(store, [files.write('other/d.wandb', 'something else')]);
  expect(noRun.preview.counts.new).toBe(0);
  files.write('good.csv', TWO);
  const { preview } = await importInto(store, [files.folder]);
  expect(preview.counts.new).toBe(2);
  expect(preview.leftOut.map(({ first }) => first)).toEqual(expect.arrayContaining(['a.csv', 'b.txt', 'c.zip']));
});
