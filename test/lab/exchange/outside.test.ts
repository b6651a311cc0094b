/** Runs of other programs, imported or reported, in every format: their settings have the values that they said, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import Papa from 'papaparse';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csvLong } from '../../../main/lab/exchange/csvLong.ts';
import { csvWide, parseCurve } from '../../../main/lab/exchange/csvWide.ts';
import type { ExchangeKind } from '../../../main/lab/exchange/exchange.ts';
import { exportFiles, exportPieces } from '../../../main/lab/exchange/exports.ts';
import type { Wanted } from '../../../main/lab/exchange/exports.ts';
import { writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';
import { mlflow } from '../../../main/lab/exchange/mlflow.ts';
import { parquet } from '../../../main/lab/exchange/parquet.ts';
import { tensorboard } from '../../../main/lab/exchange/tensorboard.ts';
import { wandb } from '../../../main/lab/exchange/wandb.ts';
import { OutsideRuns } from '../../../main/lab/outside/outsideRuns.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { Files, importInto, pointsOf } from '../imports/importInto.ts';
import { double, fieldsOf, integer, message, messages, text } from './readProto.ts';
import type { Field } from './readProto.ts';
import { storeInFolder } from './storeInFolder.ts';

const registry = builtInRegistry();
let folder: string;
let store: Store;
let files: Files;
storeInFolder((made) => ({ folder, store } = made));
beforeEach(() => {
  files = new Files();
});
afterEach(() => files[Symbol.dispose]());

/** `config.step` is a setting that is called as a column of ours; the default of `optimizer.lr` says something where there is none. */
const LR = registry.defaults['optimizer.lr'] as number;
const TABLE = [
  'run,seed,lr,width,config.step,config.optimizer.lr,config.flag,step,val/loss',
  `a,1,0.1,64,7,${LR},True,0,3`,
  `a,1,0.1,64,7,${LR},True,10,2.5`,
  `b,2,0.2,,7,${LR},text,0,NaN`,
  `b,2,0.2,,7,${LR},text,10,1e-9`,
].join('\n');
const SETTINGS = {
  a: { seed: 1, lr: 0.1, width: 64, step: 7, 'optimizer.lr': LR, flag: true },
  b: { seed: 2, lr: 0.2, step: 7, 'optimizer.lr': LR, flag: 'text' },
} as const;
const imported = () => importInto(store, [files.write('t.csv', TABLE)]);
const lines = (format: ExchangeKind, wanted: Partial<Wanted> = {}): string =>
  [...(exportPieces(store, registry, format, { runs: store.listRuns(), ...wanted }) as Iterable<string>)]
    .map(String)
    .join('');
const table = (csv: string) => Papa.parse<Record<string, string>>(csv, { header: true, skipEmptyLines: true });
const written = async (format: ExchangeKind): Promise<string> => {
  const out = join(folder, format.name);
  await writeExportFolder(out, exportFiles(store, registry, format, { runs: store.listRuns() }));
  return out;
};
const named = (name: string) => store.listRuns().find((run) => run.name === name)!;

it('gives a run no setting that only JavaScript knows (would catch function Object() … as its value)', async () => {
  const own = 'run,seed,config.constructor,step,loss\na,1,7,0,3\na,1,7,1,2\nb,2,,0,2\nb,2,,1,1\n';
  await importInto(store, [files.write('own.csv', own)]);
  const { data } = table(lines(csvLong));
  expect(new Map(data.map(({ name, constructor }) => [name, constructor as unknown]))).toEqual(
    new Map([
      ['a', '7'],
      ['b', ''],
    ]),
  );
  for (const format of [mlflow, tensorboard, wandb]) {
    const out = await written(format);
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    expect(texts.filter((text) => text.includes('native code'))).toEqual([]);
  }
});

describe('settings of imported runs', () => {
  it.each([false, true])(
    'stand in the long CSV, and nothing of ours beside them; all settings: %s (would catch names taken from our settings alone)',
    async (allSettings) => {
      await imported();
      const { data, meta } = table(lines(csvLong, { allSettings }));
      expect([...meta.fields!].sort()).toEqual(
        'run name sweep state seed lr width config.step optimizer.lr flag metric step value'.split(' ').sort(),
      );
      expect(data).toHaveLength(4);
      for (const row of data) {
        const { step, ...said } = SETTINGS[row.name as 'a' | 'b'];
        expect(row).toMatchObject(
          Object.fromEntries(Object.entries(said).map(([name, value]) => [name, String(value)])),
        );
        expect(row['config.step']).toBe(String(step));
        if (row.name === 'b') expect(row.width).toBe('');
      }
    },
  );

  it('come back as they were when the long CSV is read elsewhere', async () => {
    await imported();
    const other = openStore(join(folder, 'other.sqlite'));
    try {
      await importInto(other, [files.write('back.csv', lines(csvLong))]);
      for (const run of other.listRuns()) {
        const before = named(run.name);
        expect(run.config).toEqual(before.config);
        expect(run.config).toEqual(SETTINGS[run.name as 'a' | 'b']);
        expect(pointsOf(other, run.id)).toEqual(pointsOf(store, before.id));
      }
      expect(other.listRuns()).toHaveLength(2);
    } finally {
      other.close();
    }
  });

  it('stand in Parquet with their types', async () => {
    await imported();
    const out = join(folder, 'points.parquet');
    await writeExport(out, exportPieces(store, registry, parquet, { runs: store.listRuns() }));
    const { buffer, byteOffset, byteLength } = readFileSync(out);
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file })) as Record<string, unknown>[];
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const { step, flag, ...said } = SETTINGS[row.name as 'a' | 'b'];
      // Of two types: text.
      expect(row).toMatchObject({ width: null, ...said, 'config.step': step, flag: String(flag) });
    }
  });

  it('are parameters of MLflow', async () => {
    await imported();
    const out = await written(mlflow);
    for (const name of ['a', 'b'] as const) {
      const tags = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
        path.endsWith('sweeplab.run'),
      );
      const [tag] = tags.filter((path) => readFileSync(join(out, path), 'utf8') === named(name).id);
      const place = join(out, tag!, '..', '..', 'params');
      const found = readdirSync(place).map((each) => [each, readFileSync(join(place, each), 'utf8')]);
      expect(Object.fromEntries(found)).toEqual(
        Object.fromEntries(Object.entries(SETTINGS[name]).map(([key, value]) => [key, String(value)])),
      );
    }
  });

  it('are hyperparameters of TensorBoard', async () => {
    await imported();
    const out = await written(tensorboard);
    for (const name of ['a', 'b'] as const) {
      const [path] = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((each) =>
        each.endsWith(`.sweeplab.0.${named(name).id}`),
      );
      const { seed: _, ...said } = SETTINGS[name];
      expect(hyperparameters(readFileSync(join(out, path!)))).toEqual(said);
    }
  });

  it('are the configuration of W&B, and so are those of a script that has reported itself', async () => {
    await imported();
    const outside = new OutsideRuns({ store, origin: 'wandb' });
    const config = { lr: 0.3, model: { depth: 2 }, 'optimizer.lr': LR };
    outside.begin('wandb/run/p/x', { name: 'script', sweepId: null, names: ['x'], config });
    outside.close();
    const out = await written(wandb);
    const { 'optimizer.lr': lr, ...flat } = SETTINGS.a;
    expect(configuration(out, named('a').id)).toMatchObject({ ...flat, optimizer: { lr } });
    // The seed that it does not say is its number among the samples of its setting.
    expect(configuration(out, named('script').id)).toMatchObject({
      seed: 1,
      lr: 0.3,
      model: { depth: 2 },
      optimizer: { lr: LR },
    });
    const [row] = table(lines(csvLong)).data.filter(({ name }) => name === 'script');
    expect(row).toBeUndefined();
    await store.appendMetrics(named('script').id, [
      { metric: 'loss', steps: Float64Array.of(1), values: Float64Array.of(2) },
    ]);
    const [point] = table(lines(csvLong)).data.filter(({ name }) => name === 'script');
    expect(point).toMatchObject({ seed: '1', lr: '0.3', 'model.depth': '2', width: '', flag: '' });
  });
});

describe('the wide CSV of imported runs', () => {
  it('has NaN where a run says nothing, and lists that are JSON (would catch `undefined` in a cell)', async () => {
    await imported();
    const csv = lines(csvWide);
    expect(csv).not.toMatch(/undefined|null/u);
    const rows = table(csv).data;
    for (const row of rows) {
      for (const [name, cell] of Object.entries(row)) {
        expect(cell, name).not.toBe('');
        if (!cell.startsWith('[')) continue;
        const plain = cell.replaceAll(/-?Infinity|NaN/gu, '0');
        expect(JSON.parse(plain), name).toHaveLength(2);
      }
      expect(row).toMatchObject({ depth: 'NaN', num_heads: 'NaN', num_params: 'NaN', linear_value: 'NaN' });
      expect(parseCurve(row.batch_size)).toEqual([NaN, NaN]);
      expect(parseCurve(row.train_loss)).toEqual([NaN, NaN]);
    }
    expect(rows.map(({ val_loss }) => parseCurve(val_loss))).toEqual([
      [3, 2.5],
      [NaN, 1e-9],
    ]);
    expect(rows.map(({ seed, width }) => [seed, width])).toEqual([
      ['1', '64'],
      ['2', 'NaN'],
    ]);
  });

  it('is the same again when it is read and written once more', async () => {
    const wide = { 'model.kind': 'latent', 'model.linear_value': true, 'stop.steps': 9, 'model.depth': 3 };
    const { id } = store.createRun({
      name: 'r',
      config: { ...registry.defaults, ...wide, seed: 5 },
      seed: 5,
      settingKey: 'k',
      parameters: 123_456,
      environment: { vocabulary: 257 },
    });
    store.setRunState(id, 'running');
    const points = { steps: Float64Array.of(0, 1), values: Float64Array.of(4, 3.5) };
    await store.appendMetrics(
      id,
      ['val/loss', 'train/loss', 'seconds', 'tokens', 'lr', 'epoch'].map((metric) => ({ metric, ...points })),
    );
    const before = lines(csvWide);
    const other = openStore(join(folder, 'other.sqlite'));
    try {
      await importInto(other, [files.write('wide.csv', before)]);
      const runs = other.listRuns();
      const after = [...(exportPieces(other, registry, csvWide, { runs }) as Iterable<string>)].join('');
      expect(table(after).data).toEqual(table(before).data);
    } finally {
      other.close();
    }
  });

  it('says nothing when it is read that it did not know (would catch settings called NaN)', async () => {
    await imported();
    const other = openStore(join(folder, 'other.sqlite'));
    try {
      await importInto(other, [files.write('wide.csv', lines(csvWide))]);
      expect(other.listRuns().map(({ config }) => config)).toEqual([{ seed: 1, width: 64 }, { seed: 2 }]);
    } finally {
      other.close();
    }
  });
});

describe('names of imported runs', () => {
  it('are kept whatever they are (would catch `-` and `none` in one run that is called as the file)', async () => {
    const names = ['-', '--', 'none', 'null', 'a'];
    const rows = names.flatMap((name, i) => [`${name},0,${i}`, `${name},1,${i}`]);
    await importInto(store, [files.write('t.csv', ['run,step,loss', ...rows].join('\n'))]);
    expect(store.listRuns().map(({ name }) => name)).toEqual(names);
    expect(store.listRuns().map(({ id }) => pointsOf(store, id).loss)).toEqual(
      names.map((_, i) => [
        [0, i],
        [1, i],
      ]),
    );
  });
});

/** What the plug-in of hyperparameters is told of the settings. */
function hyperparameters(bytes: Buffer): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    const event = fieldsOf(bytes.subarray(at + 12, at + 12 + length));
    at += 16 + length;
    for (const value of messages(message(event, 5), 1).filter((each) => text(each, 1).endsWith('start_info')))
      for (const entry of messages(message(message(message(message(value, 9), 1), 2), 3), 1)) {
        const said = message(entry, 2);
        found[text(entry, 1)] = said.has(2) ? double(said, 2) : said.has(4) ? integer(said, 4) === 1 : text(said, 3);
      }
  }
  return found;
}

/** The configuration of an offline run of W&B, whose second record it is, and in the first block of the log. */
function configuration(out: string, id: string): Record<string, unknown> {
  const [path] = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith(`run-${id}.wandb`),
  );
  const bytes = readFileSync(join(out, path!));
  const second = 7 + 7 + bytes.readUInt16LE(7 + 4);
  const record = fieldsOf(bytes.subarray(second + 7, second + 7 + bytes.readUInt16LE(second + 4)));
  const items: Map<number, Field[]>[] = messages(message(message(record, 17), 4), 1);
  return Object.fromEntries(items.map((item) => [text(item, 1), JSON.parse(text(item, 16)) as unknown]));
}
