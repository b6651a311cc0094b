import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Papa from 'papaparse';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExportError, writeExport } from '../../../main/lab/export/file.ts';
import { changedSettingNames, longCsv } from '../../../main/lab/export/longCsv.ts';
import { parseCurve, WIDE_COLUMNS, wideCsv } from '../../../main/lab/export/wideCsv.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';

let folder: string;
let store: Store;
const { defaults, names } = builtInRegistry();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-export-'));
  store = openStore(join(folder, 'runs.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const read = (text: string) => Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true });

describe('the long layout', () => {
  it('holds every point of every metric with exact values, and only asked-for metrics when asked', async () => {
    const sweep = store.createSweep({ name: 's', spec: {} }, [
      {
        name: '=evil, "run"',
        config: { ...defaults, seed: 3, 'model.depth': 2, 'data.separator': '\n' },
        seed: 3,
        settingKey: 'a',
      },
    ]);
    const [run] = sweep.runs;
    const values = Float64Array.of(0.1, NaN, Infinity, -0, 1e-300);
    await store.appendMetrics(run.id, [
      { metric: 'train/loss', steps: Float64Array.of(1, 2, 3, 4, 7), values },
      { metric: 'val/loss', steps: Float64Array.of(0, 7), values: Float64Array.of(5.5, 2) },
    ]);
    const settings = changedSettingNames([store.getRun(run.id)!], names, defaults);
    expect(settings).toEqual(['seed', 'data.separator', 'model.depth']);
    const { data, meta } = read([...longCsv(store, { runs: [run], settings })].join(''));
    expect(meta.fields).toEqual(['run', 'name', 'sweep', 'state', ...settings, 'metric', 'step', 'value']);
    expect(data).toHaveLength(7);
    expect(data[0]).toMatchObject({
      run: run.id,
      name: `'=evil, "run"`,
      sweep: sweep.sweep.id,
      'data.separator': '\n',
      'model.depth': '2',
      step: '1',
      value: '0.1',
    });
    expect(data.slice(0, 5).map(({ value }) => Number(value))).toEqual([...values]);
    const exact = read([...longCsv(store, { runs: [run], settings, exact: true, metrics: ['val/loss'] })].join(''));
    expect(exact.data.map(({ name, metric, step }) => [name, metric, step])).toEqual([
      ['=evil, "run"', 'val/loss', '0'],
      ['=evil, "run"', 'val/loss', '7'],
    ]);
  });

  it('is made in pieces (would catch an export that builds the whole file in memory)', async () => {
    const run = store.createRun({ name: 'r', config: defaults, seed: 1, settingKey: 'a' });
    const steps = Float64Array.from({ length: 20_000 }, (_, i) => i);
    await store.appendMetrics(run.id, [{ metric: 'm', steps, values: steps }]);
    const sizes = [...longCsv(store, { runs: [run], settings: [] })].map((chunk) => chunk.length);
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThan(400_000);
  });
});

describe('the wide layout', () => {
  it('has the 29 columns in order, one entry per evaluation, NaN where there is nothing', async () => {
    expect(WIDE_COLUMNS).toHaveLength(29);
    const config = {
      ...defaults,
      'model.depth': 8,
      'model.width': 384,
      'model.heads': 3,
      'model.tied': false,
      'model.positions': 'none',
      'stop.steps': 4,
    };
    const runs = [2, 1].map((seed) =>
      store.createRun({
        name: `seed ${seed}`,
        config: { ...config, seed },
        seed,
        settingKey: 'a',
        parameters: 46_009_736,
        environment: { vocabulary: 50_304 },
      }),
    );
    await store.appendMetrics(runs[0].id, [
      { metric: 'val/loss', steps: Float64Array.of(0, 2, 4), values: Float64Array.of(10, NaN, 3) },
      { metric: 'train/loss', steps: Float64Array.of(1, 2, 3), values: Float64Array.of(9, 8, 7) },
      { metric: 'tokens', steps: Float64Array.of(0, 1, 2, 3, 4), values: Float64Array.of(0, 10, 20, 30, 40) },
    ]);
    store.updateRun(runs[0].id, { summary: { 'val/loss': 3 } });
    const { data, meta } = read([...wideCsv(store, store.listRuns())].join(''));
    expect(meta.fields).toEqual([...WIDE_COLUMNS]);
    const [row, other] = data;
    expect(row).toMatchObject({
      last_val_loss: '3.0',
      model_scale: '1.0',
      depth: '8',
      width: '384',
      num_params: '46009736',
      num_non_embedding_params: String(46_009_736 - 2 * 50_304 * 384),
      num_heads: '3',
      linear_value: 'False',
      seed: '2',
      run_num: '2',
      max_steps: '4',
      max_tokens: '1000000000000',
      val_loss: '[10.0, NaN, 3.0]',
      tokens_seen: '[0, 20, 40]',
      seq_length: '[128, 128, 128]',
    });
    // At step 4 the latest training point is that of step 3; before the first there is none.
    expect(parseCurve(row.train_loss)).toEqual([NaN, 8, 7]);
    expect(parseCurve(row.val_pplx)).toEqual([Math.exp(10), NaN, Math.exp(3)]);
    expect(other).toMatchObject({ run_num: '1', last_val_loss: 'NaN', val_loss: '[]' });
    expect(parseCurve(other.val_loss)).toEqual([]);
  });

  it.each(['[1, x]', '1, 2', '[1,,2]', 'nan'])('refuses to read %s as a curve', (text) => {
    expect(() => parseCurve(text)).toThrow(SyntaxError);
  });
});

describe('export files', () => {
  const chunks = (header: string, ...rows: string[]) => [`${header}\n`, ...rows.map((row) => `${row}\n`)];

  it('appear whole, are replaced, and are appended to only with the same columns (would catch a drifting header)', async () => {
    const path = join(folder, 'out.csv');
    await writeExport(path, chunks('a,b', '1,2'));
    await writeExport(path, chunks('a,b', '3,4'), { append: true });
    expect(readFileSync(path, 'utf8')).toBe('a,b\n1,2\n3,4\n');
    await expect(writeExport(path, chunks('a,c', '5,6'), { append: true })).rejects.toThrow(
      /column 2 is "b" there and "c" here/u,
    );
    await expect(writeExport(path, chunks('a,b,c', '5,6'), { append: true })).rejects.toThrow(
      /column 3 is "\(none\)" there/u,
    );
    await expect(writeExport(path, chunks('a', '5'), { append: true })).rejects.toThrow(ExportError);
    expect(readFileSync(path, 'utf8')).toBe('a,b\n1,2\n3,4\n');
    await writeExport(path, chunks('x'));
    expect(readFileSync(path, 'utf8')).toBe('x\n');
  });

  it('append to a file without a last line end, and make one that is not there', async () => {
    const path = join(folder, 'out.csv');
    writeFileSync(path, 'a,b\n1,2');
    await writeExport(path, chunks('a,b', '3,4'), { append: true });
    expect(readFileSync(path, 'utf8')).toBe('a,b\n1,2\n3,4\n');
    await writeExport(join(folder, 'new.csv'), chunks('a', '1'), { append: true });
    expect(readFileSync(join(folder, 'new.csv'), 'utf8')).toBe('a\n1\n');
  });

  it('leave the old file and no rubbish when the export breaks off', async () => {
    const path = join(folder, 'out.csv');
    await writeExport(path, chunks('a', '1'));
    const broken = function* () {
      yield 'a\n';
      throw new Error('disk');
    };
    await expect(writeExport(path, broken())).rejects.toThrow('disk');
    expect(readFileSync(path, 'utf8')).toBe('a\n1\n');
    expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
    await expect(writeExport(join(folder, 'no', 'out.csv'), chunks('a'))).rejects.toThrow(/there is no folder/u);
    await expect(writeExport(folder, chunks('a'))).rejects.toThrow(/not a file/u);
  });
});
