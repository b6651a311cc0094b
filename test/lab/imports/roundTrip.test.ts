/** What Sweeplab exports comes back: every format, every point, over fresh random runs with odd values (the seed is in the test's name). */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportFiles, exportPieces } from '../../../main/lab/exchange/exports.ts';
import { writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';
import { exchangeFamily } from '../../../main/lab/exchange/index.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { randomRuns } from '../exchange/randomRuns.ts';
import type { Expected } from '../exchange/randomRuns.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { Files, importInto } from './importInto.ts';

const registry = builtInRegistry();
const SEED = Math.floor(Math.random() * 2 ** 31);
let store: Store;
let other: Store;
let files: Files;
storeInFolder((made) => ({ store } = made));
beforeEach(() => {
  files = new Files();
  other = openStore(join(files.folder, 'other.sqlite'));
});
afterEach(() => {
  other.close();
  files[Symbol.dispose]();
});

/** Exports everything. @returns the path */
async function exported(format: string, archive = false): Promise<string> {
  const kind = exchangeFamily.kinds.find(({ name }) => name === format)!;
  const wanted = { runs: store.listRuns(), exact: false };
  const path = join(
    files.folder,
    'out',
    kind.files === undefined || archive ? `export.${kind.extensions[0]}` : 'export',
  );
  files.write('out/.keep', '');
  if (kind.files === undefined || archive) await writeExport(path, exportPieces(store, registry, kind, wanted));
  else await writeExportFolder(path, exportFiles(store, registry, kind, wanted));
  return path;
}

interface Shape {
  readonly format: string;
  readonly archive?: boolean;
  /** What becomes of a value on its way. */
  readonly value?: (value: number) => number;
  /** Formats that say it. */
  readonly settings?: boolean;
  readonly sweep?: boolean;
  readonly note?: boolean;
  /** Runs without points are in it. */
  readonly empty?: boolean;
  /** The run in the other lab. */
  readonly find: (run: RunRecord, all: readonly RunRecord[]) => RunRecord | undefined;
  /** As the format has to write it. */
  readonly metric?: (name: string) => string;
}

const byName = (run: RunRecord, all: readonly RunRecord[]): RunRecord | undefined =>
  all.find(({ name }) => name === run.name);
const byId = (run: RunRecord, all: readonly RunRecord[]): RunRecord | undefined =>
  all.find(({ name }) => name.endsWith(run.id));

const SHAPES: readonly Shape[] = [
  { format: 'csv-long', settings: true, sweep: true, find: byName },
  { format: 'parquet', settings: true, sweep: true, find: byName },
  { format: 'trackio', find: byId },
  { format: 'tensorboard', value: Math.fround, settings: true, sweep: true, empty: true, find: byId },
  { format: 'wandb', settings: true, sweep: true, note: true, empty: true, find: byName },
  { format: 'wandb', archive: true, settings: true, sweep: true, note: true, empty: true, find: byName },
  {
    format: 'mlflow',
    settings: true,
    sweep: true,
    note: true,
    empty: true,
    find: byName,
    metric: (name) => name.replace('a.b c', 'a.b-c'),
  },
];

function compare({ run, series }: Expected, found: RunRecord, shape: Shape): void {
  const { value: of = (value) => value, metric: named = (name) => name } = shape;
  expect(other.metricNames(found.id).toSorted()).toEqual([...series.keys()].map(named).toSorted());
  for (const [metric, { step, value }] of series) {
    const read = other.readAll(found.id, named(metric));
    expect(Array.from(read.step), metric).toEqual(Array.from(step));
    // Bit for bit: −0 is another number than 0.
    const wrong = value.findIndex((each, i) => !Object.is(of(each), read.value[i]));
    expect(wrong < 0 ? 'equal' : `${metric}[${wrong}]: ${value[wrong]} became ${read.value[wrong]}`).toBe('equal');
  }
  expect(found.origin).toBe('import');
  if (series.size > 0) expect(found.seed).toBe(run.seed);
  if (shape.settings === true && series.size > 0) {
    expect(found.config['optimizer.lr']).toBe(run.config['optimizer.lr']);
    expect(String(found.config['model.bias'])).toBe(String(run.config['model.bias']));
  }
  if (shape.note === true) expect([found.note, found.tags]).toEqual([run.note, run.tags]);
}

describe(`exports read back, seed ${SEED}`, () => {
  it.each(SHAPES.map((shape) => [`${shape.format}${shape.archive === true ? ' in an archive' : ''}`, shape] as const))(
    '%s',
    async (_, shape) => {
      const expected = await randomRuns(store, registry.defaults, SEED);
      const path = await exported(shape.format, shape.archive);
      const { result, preview } = await importInto(other, [path]);
      const wanted = shape.empty === true ? expected : expected.filter(({ series }) => series.size > 0);
      const read = other.listRuns();
      // Trackio has a file, and so a row of names, for a run without points.
      expect(read.length).toBe(wanted.length);
      expect(result.points).toBe(
        wanted.reduce((sum, { series }) => sum + [...series.values()].reduce((n, { step }) => n + step.length, 0), 0),
      );
      expect(preview.sources.flatMap(({ notes }) => notes)).toEqual([]);
      for (const each of wanted) {
        const found = shape.find(each.run, read);
        expect(found, each.run.name).toBeDefined();
        compare(each, found!, shape);
      }
      // Seeds of a setting are samples of it.
      const [a, b] = expected.map(({ run }) => shape.find(run, read)!);
      expect(a!.settingKey).toBe(b!.settingKey);
      if (shape.sweep === true) expect(a!.sweepId).not.toBeNull();
      // Once more changes nothing; in the lab that it came from nothing is doubled.
      expect((await importInto(other, [path])).preview.counts).toEqual({
        new: 0,
        update: 0,
        same: read.length,
        here: 0,
      });
      if (shape.format !== 'trackio')
        expect((await importInto(store, [path])).preview.counts).toEqual({
          new: 0,
          update: 0,
          same: 0,
          here: read.length,
        });
    },
  );

  it('csv-wide, whose curves stand at the evaluations; the first run has no points', async () => {
    store.createRun({ name: 'none', config: { ...registry.defaults, seed: 9 }, seed: 9, settingKey: 'y' });
    const expected = await randomRuns(store, registry.defaults, SEED);
    await importInto(other, [await exported('csv-wide')]);
    const read = other.listRuns();
    const before = store.listRuns();
    expect(read.map(({ seed }) => seed)).toEqual(before.map(({ seed }) => seed));
    for (const { run, series } of expected) {
      const found = read[before.findIndex(({ id }) => id === run.id)]!;
      const { step, value } = other.readAll(found.id, 'val/loss');
      const curve = series.get('val/loss')?.value ?? new Float64Array();
      expect(Array.from(step)).toEqual(Array.from(curve, (_, i) => i));
      expect(value.every((each, i) => Object.is(each, curve[i])) && value.length === curve.length).toBe(true);
    }
  });
});
