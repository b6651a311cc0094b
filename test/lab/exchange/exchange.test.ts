import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { ExportError, writeExport, writeExportFolder } from '../../../main/lab/exchange/file.ts';
import { csvLong } from '../../../main/lab/exchange/csvLong.ts';
import { csvWide, parseCurve, WIDE_COLUMNS } from '../../../main/lab/exchange/csvWide.ts';
import type { ExchangeKind } from '../../../main/lab/exchange/exchange.ts';
import { defineExchange } from '../../../main/lab/exchange/exchange.ts';
import { exportName } from '../../../preload/shared/exportName.ts';
import { changedSettingNames, exportPieces } from '../../../main/lab/exchange/exports.ts';
import type { Wanted } from '../../../main/lab/exchange/exports.ts';
import { noteTemporary, removeAbandoned } from '../../../main/files/leftovers.ts';
import { temporaryName } from '../../../main/files/atomic.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { storeInFolder } from './storeInFolder.ts';

let folder: string;
let store: Store;
const registry = builtInRegistry();
const { defaults, names } = registry;

storeInFolder((made) => ({ folder, store } = made));

const pieces = (format: ExchangeKind, wanted: Wanted): string[] =>
  [...(exportPieces(store, registry, format, wanted) as Iterable<string>)].map(String);
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
    const [last] = store.listRuns();
    const { data, meta } = read(pieces(csvLong, { runs: [last] }).join(''));
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
    const exact = read(pieces(csvLong, { runs: [run], exact: true, metrics: ['val/loss'] }).join(''));
    expect(exact.data.map(({ name, metric, step }) => [name, metric, step])).toEqual([
      ['=evil, "run"', 'val/loss', '0'],
      ['=evil, "run"', 'val/loss', '7'],
    ]);
    const whole = read(pieces(csvLong, { runs: [run], allSettings: true }).join('')).meta.fields!;
    expect(whole).toEqual(['run', 'name', 'sweep', 'state', ...names, 'metric', 'step', 'value']);
  });

  it('is made in pieces (would catch an export that builds the whole file in memory)', async () => {
    const run = store.createRun({ name: 'r', config: defaults, seed: 1, settingKey: 'a' });
    const steps = Float64Array.from({ length: 20_000 }, (_, i) => i);
    await store.appendMetrics(run.id, [{ metric: 'm', steps, values: steps }]);
    const sizes = pieces(csvLong, { runs: [run] }).map((piece) => piece.length);
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
      // The source of the format itself; learned positions are not for it, and its tables have 50,304 rows.
      'model.kind': 'latent',
      'model.linear_value': true,
      'stop.steps': 4,
    };
    const runs = [2, 1].map((seed) =>
      store.createRun({
        name: `seed ${seed}`,
        config: { ...config, seed },
        seed,
        settingKey: 'a',
        parameters: 46_009_736,
        environment: { vocabulary: 50_257 },
      }),
    );
    await store.appendMetrics(runs[0].id, [
      { metric: 'val/loss', steps: Float64Array.of(0, 2, 4), values: Float64Array.of(10, NaN, 3) },
      { metric: 'train/loss', steps: Float64Array.of(1, 2, 3), values: Float64Array.of(9, 8, 7) },
      { metric: 'tokens', steps: Float64Array.of(0, 1, 2, 3, 4), values: Float64Array.of(0, 10, 20, 30, 40) },
    ]);
    store.updateRun(runs[0].id, { summary: { 'val/loss': 3 } });
    const { data, meta } = read(pieces(csvWide, { runs: store.listRuns() }).join(''));
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
      linear_value: 'True',
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
    await expect(writeExport(join(path, 'out.csv'), chunks('a'))).rejects.toThrow(/there is no folder .*out\.csv$/u);
    await expect(writeExport(folder, chunks('a'))).rejects.toThrow(/not a file/u);
  });

  it('take no empty name, and not the folder one stands in (would catch a folder that is replaced under its user)', async () => {
    await expect(writeExport('', chunks('a'))).rejects.toThrow(/is empty; allowed: the path/u);
    await expect(writeExportFolder('', [])).rejects.toThrow(/is empty; allowed: the path/u);
    await expect(writeExportFolder('.', [])).rejects.toThrow(/the folder you are in; choose a new one/u);
  });
});

describe('what a killed export leaves', () => {
  const script = (body: string): string => `
    import { writeExport } from ${JSON.stringify(new URL('../../../main/lab/exchange/file.ts', import.meta.url).href)};
    ${body}`;

  it('is removed at the next start, and nothing else is (would catch rubbish beside the files of a user)', async () => {
    const [place, notes] = [join(folder, 'place'), join(folder, 'notes')];
    mkdirSync(place);
    const path = join(place, 'out.csv');
    writeFileSync(path, 'before\n');
    const { signal } = spawnSync(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        script(`
          function* pieces() {
            yield 'a'.repeat(2 ** 21);
            yield 'b'.repeat(2 ** 21);
            process.kill(process.pid, 'SIGKILL');
          }
          await writeExport(${JSON.stringify(path)}, pieces(), { notes: ${JSON.stringify(notes)} });`),
      ],
      { encoding: 'utf8' },
    );
    expect(signal).toBe('SIGKILL');
    const [left] = readdirSync(place).filter((name) => name !== 'out.csv');
    expect(left).toMatch(/^out\.csv\.tmp-\d+-[0-9a-f]{12}$/u);
    // Of this process, which lives; of nobody; a note that names a file of the user's; one that is no note.
    const [mine, other] = [temporaryName(path), join(place, 'other.csv.tmp-1-0123456789ab')];
    for (const each of [mine, other]) writeFileSync(each, '');
    const forget = await noteTemporary(notes, mine);
    writeFileSync(join(notes, 'wrong.json'), JSON.stringify({ path, pid: 999_999_999, began: 'never' }));
    writeFileSync(join(notes, 'broken.json'), '{');
    expect(await removeAbandoned(notes)).toEqual([join(place, left)]);
    expect(readdirSync(place).sort()).toEqual(['out.csv', basename(mine), basename(other)].sort());
    expect(readFileSync(path, 'utf8')).toBe('before\n');
    await forget();
    expect(readdirSync(notes)).toEqual([]);
  });

  it('is nothing after one that ends, well or badly', async () => {
    const notes = join(folder, 'notes');
    await writeExport(join(folder, 'a.csv'), ['a\n'], { notes });
    await expect(writeExport(join(folder, 'no', 'a.csv'), ['a\n'], { notes })).rejects.toThrow(ExportError);
    expect(readdirSync(notes)).toEqual([]);
    // A full disk takes the name of a note, and nothing in it.
    const full = (async (file: string) => {
      writeFileSync(file, '');
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    }) as never;
    const forget = await noteTemporary(notes, temporaryName(join(folder, 'b.csv')), full);
    expect(readdirSync(notes)).toEqual([]);
    await forget();
  });
});

describe('a format', () => {
  const good = { name: 'lines', label: 'Lines', help: 'One.', extensions: ['txt'], write: () => ['x'] };

  it('gives its files their ending and day', () => {
    const format = defineExchange(good);
    expect(exportName(format, 'a sweep', new Date('2026-03-04T23:00:00Z'))).toBe('a-sweep-2026-03-04.txt');
  });

  it.each([
    [{ ...good, label: '' }, 'exchange lines: label is missing'],
    [{ ...good, extensions: [] }, 'exchange lines: extensions is []'],
    [{ ...good, extensions: ['.csv'] }, 'exchange lines: extensions is [".csv"]'],
    [{ ...good, write: 'x' as never }, 'exchange lines: write must be a function'],
    [{ ...good, settings: [] }, 'exchange lines: settings belongs to kinds that runs choose'],
    [{ ...good, help: undefined as never }, 'exchange lines: help is missing'],
  ])('that cannot work is refused by name: %#', (given, message) => {
    expect(() => defineExchange(given)).toThrow(message);
  });
});
