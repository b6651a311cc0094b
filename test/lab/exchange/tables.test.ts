/** Parquet, MLflow's folder and Trackio's CSV read back, point by point, by readers that know nothing of the writers. */
import Papa from 'papaparse';
import { parquetReadObjects } from 'hyparquet';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exportFiles, exportPieces } from '../../../main/lab/exchange/exports.ts';
import { writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';
import { mlflow } from '../../../main/lab/exchange/mlflow.ts';
import { parquet } from '../../../main/lab/exchange/parquet.ts';
import { trackio } from '../../../main/lab/exchange/trackio.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { randomRuns } from './randomRuns.ts';
import { storeInFolder } from './storeInFolder.ts';

const registry = builtInRegistry();
let folder: string;
let store: Store;
storeInFolder((made) => ({ folder, store } = made));
const fresh = (): number => Math.floor(Math.random() * 2 ** 31);

describe('Parquet', () => {
  const read = async (): Promise<Record<string, unknown>[]> => {
    const out = join(folder, 'points.parquet');
    await writeExport(out, exportPieces(store, registry, parquet, { runs: store.listRuns() }));
    const { buffer, byteOffset, byteLength } = readFileSync(out);
    return (await parquetReadObjects({
      file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    })) as Record<string, unknown>[];
  };

  it('holds every point to the bit, with settings as what they are', async () => {
    const seed = fresh();
    const expected = await randomRuns(store, registry.defaults, seed);
    const rows = await read();
    const points = expected.flatMap(({ run, series }) =>
      [...series].flatMap(([metric, { step, value }]) =>
        Array.from(step, (at, i) => ({
          run: run.id,
          name: run.name,
          sweep: 'Über sweep: 1/2',
          state: 'running',
          'data.separator': '\n—',
          'model.bias': run.config['model.bias'],
          'optimizer.lr': run.config['optimizer.lr'],
          seed: run.config.seed,
          metric,
          step: at,
          value: value[i],
        })),
      ),
    );
    const key = (row: Record<string, unknown>): string => `${String(row.run)} ${String(row.metric)}`;
    const order = (all: Record<string, unknown>[]) =>
      all.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    expect(order(rows), `seed ${seed}`).toEqual(order(points));
  });

  it('goes on over groups of rows, and has its columns without a row (would catch a group that is lost or written twice)', async () => {
    expect(await read()).toEqual([]);
    const run = store.createRun({ name: 'long', config: { ...registry.defaults, seed: 1 }, seed: 1, settingKey: 'x' });
    const length = 2 * 131_072 + 1;
    const steps = Float64Array.from({ length }, (_, i) => i);
    store.setRunState(run.id, 'running');
    await store.appendMetrics(run.id, [{ metric: 'loss', steps, values: steps.map((step) => step / 3) }]);
    const rows = await read();
    expect(rows).toHaveLength(length);
    expect(rows.every(({ step, value }, i) => step === i && value === i / 3)).toBe(true);
  });
});

/** Every file of a folder by its path. */
const filesBelow = (root: string): Map<string, string> =>
  new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(root, path).replaceAll(sep, '/'), readFileSync(path, 'utf8')];
      }),
  );

/** Spaces are no part of a name that every system takes. */
const named = (metric: string): string => metric.replaceAll(' ', '-');

describe('the folder for MLflow', () => {
  it('holds every point with its time, parameters, tags and endings, a sweep being an experiment', async () => {
    const seed = fresh();
    const expected = await randomRuns(store, registry.defaults, seed);
    store.setRunState(expected[0].run.id, 'finished', { endedAt: expected[0].run.startedAt! + 2500 });
    store.setRunState(expected[1].run.id, 'failed', { reason: 'it broke' });
    const out = join(folder, 'mlruns');
    await writeExportFolder(out, exportFiles(store, registry, mlflow, { runs: store.listRuns() }));
    const files = filesBelow(out);
    const metas = [...files].filter(([path]) => path.endsWith('/meta.yaml'));
    const experiments = metas.filter(([path]) => path.split('/').length === 2).map(([, text]) => parse(text));
    expect(experiments.map(({ name }) => name).sort()[0]).toBe('Sweeplab, single runs');
    expect(experiments).toHaveLength(2);
    const metas2 = new Map(
      metas.filter(([path]) => path.split('/').length === 3).map(([path, text]) => [path.slice(0, -9), parse(text)]),
    );
    expect(metas2.size).toBe(expected.length);
    for (const [i, { run, series }] of expected.entries()) {
      const [[at, meta]] = [...metas2].filter(([path]) => files.get(`${path}tags/sweeplab.run`) === run.id);
      const { experiment_id, run_id, run_name, status, start_time, end_time } = meta as Record<string, unknown>;
      expect(at).toBe(`${String(experiment_id)}/${String(run_id)}/`);
      expect(run_id).toMatch(/^[0-9a-f]{32}$/u);
      expect([run_name, status]).toEqual([run.name, [3, 4, 1, 1, 2][i]]);
      const began = run.startedAt ?? run.createdAt;
      expect([start_time, end_time]).toEqual([began, store.getRun(run.id)!.endedAt]);
      const below = (kind: string) =>
        new Map(
          [...files]
            .filter(([path]) => path.startsWith(`${at}${kind}/`))
            .map(([path, text]) => [path.slice(at.length + kind.length + 1), text]),
        );
      const parameters = below('params');
      if (series.size > 0) {
        expect(parameters.get('optimizer.lr')).toBe(String(run.config['optimizer.lr']));
        expect(parameters.get('data.separator')).toBe('\n—');
        expect(below('tags').get('mlflow.note.content')).toBe(run.note);
      }
      const metrics = below('metrics');
      expect([...metrics.keys()].sort(), `seed ${seed}`).toEqual([...series.keys()].map(named).sort());
      const clock = series.get('seconds');
      for (const [name, { step, value }] of series) {
        const lines = metrics
          .get(named(name))!
          .trimEnd()
          .split('\n')
          .map((line) => line.split(' '));
        expect(lines.map(([, , each]) => Number(each))).toEqual([...step]);
        expect(lines.map(([, each]) => Number(each))).toEqual([...value]);
        const times = Array.from(step, (each) => {
          const last = clock!.step.findLastIndex((other) => other <= each);
          return Math.round(began + (last < 0 ? 0 : clock!.value[last]) * 1000);
        });
        expect(
          lines.map(([time]) => Number(time)),
          `${name}, seed ${seed}`,
        ).toEqual(times);
      }
    }
  });

  it('keeps metrics apart whose names are no names there (would catch a file that takes the place of another, or leaves the folder)', async () => {
    const names = ['loss', 'LOSS', 'loss/val', 'a:b', 'a_b', '../../x', '..', 'a//b', 'CON', 'x/.', 'é'];
    const run = store.createRun({ name: 'odd', config: { ...registry.defaults, seed: 1 }, seed: 1, settingKey: 'x' });
    store.setRunState(run.id, 'running');
    await store.appendMetrics(
      run.id,
      names.map((metric, i) => ({ metric, steps: Float64Array.of(1), values: Float64Array.of(i) })),
    );
    const out = join(folder, 'mlruns');
    await writeExportFolder(out, exportFiles(store, registry, mlflow, { runs: store.listRuns() }));
    const found = [...filesBelow(out)].filter(([path]) => path.includes('/metrics/'));
    expect(new Set(found.map(([path]) => path.toLowerCase())).size).toBe(names.length);
    expect(found.map(([, text]) => Number(text.split(' ')[1])).sort((a, b) => a - b)).toEqual([...names.keys()]);
    for (const [path] of found)
      expect(path.split('/metrics/')[1]).toMatch(
        /^[\p{L}\p{N}_-][\p{L}\p{N}_.-]*(?:\/[\p{L}\p{N}_-][\p{L}\p{N}_.-]*)*$/u,
      );
  });
});

describe('the CSV files for Trackio', () => {
  it('hold every value at its step, with the time of training', async () => {
    const seed = fresh();
    const expected = await randomRuns(store, registry.defaults, seed);
    const out = join(folder, 'csv');
    await writeExportFolder(out, exportFiles(store, registry, trackio, { runs: store.listRuns() }));
    const files = filesBelow(out);
    expect(files.size).toBe(expected.length);
    for (const { run, series } of expected) {
      const [[, text]] = [...files].filter(([path]) => path.endsWith(`-${run.id}.csv`));
      const { data } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });
      for (const [name, { step, value }] of series) {
        const rows = data.filter((row) => row[name] !== '');
        expect(rows.map((row) => Number(row.step))).toEqual([...step]);
        expect(
          rows.map((row) => Number(row[name])),
          `${name}, seed ${seed}`,
        ).toEqual([...value]);
      }
      const began = run.startedAt ?? run.createdAt;
      for (const { timestamp } of data) expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(began);
    }
  });
});
