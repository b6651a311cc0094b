/** Tables and logs: what columns become, which run a row belongs to, and what is told of rows that are wrong. */
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importFamily } from '../../../main/lab/imports/index.ts';
import { ImportReading } from '../../../main/lab/imports/reading.ts';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { Files, importInto, pointsOf } from './importInto.ts';

let store: Store;
let files: Files;
storeInFolder((made) => ({ store } = made));
beforeEach(() => {
  files = new Files();
});
afterEach(() => files[Symbol.dispose]());

const runs = (): RunRecord[] => store.listRuns();
const byName = (name: string): RunRecord => runs().find((run) => run.name === name)!;

describe('a table with a row for each step', () => {
  it('is a run for each seed of a name that several have (would catch seeds that overwrite each other)', async () => {
    const rows = (seed: number, name: string) => [0, 1, 2].map((step) => `${name},${seed},${step},${seed * 10 + step}`);
    const path = files.write(
      'seeds.csv',
      ['name,seed,step,loss', ...rows(1, 'a'), ...rows(2, 'a'), ...rows(1, 'b')].join('\n'),
    );
    const { result } = await importInto(store, [path]);
    expect(runs().map((run) => [run.name, run.seed, pointsOf(store, run.id).loss])).toEqual([
      ['a', 1, [0, 1, 2].map((step) => [step, 10 + step])],
      ['a / 2', 2, [0, 1, 2].map((step) => [step, 20 + step])],
      ['b', 1, [0, 1, 2].map((step) => [step, 10 + step])],
    ]);
    expect(result.notes).toEqual([]);
    const again = await importInto(store, [path]);
    expect(again.result.created).toEqual([]);
    expect(store.countRuns()).toBe(3);
  });

  it('is several runs where its names stand there once more, and tells of bad rows (would catch a second run that overwrites the first)', async () => {
    const path = files.write(
      'hist.csv',
      [
        'step,train/loss,val/loss,lr,model,',
        '0,4.5,,0.001,gpt,',
        '10,3.25,3.5,0.0009,gpt,',
        '20,nan,3.125,0.0008,gpt,',
        '30,oops,inf,0.0007,gpt,,y',
        'step,train/loss,val/loss,lr,model,',
        '0,4.75,,0.001,gpt2,',
        '10,3,3,0.0009,gpt2,',
        'bad',
      ].join('\r\n'),
    );
    const { preview, result } = await importInto(store, [path]);
    expect(runs().map(({ name, config, seed, steps, origin }) => [name, config, seed, steps, origin])).toEqual([
      ['hist', { model: 'gpt' }, 1, 30, 'import'],
      ['hist #2', { model: 'gpt2' }, 1, 10, 'import'],
    ]);
    expect(pointsOf(store, runs()[0]!.id)).toEqual({
      'train/loss': [
        [0, 4.5],
        [10, 3.25],
        [20, Number.NaN],
      ],
      'val/loss': [
        [10, 3.5],
        [20, 3.125],
        [30, Infinity],
      ],
      lr: [
        [0, 0.001],
        [10, 0.0009],
        [20, 0.0008],
        [30, 0.0007],
      ],
    });
    expect(runs()[0]!.summary).toEqual({ 'train/loss': null, 'val/loss': null, lr: 0.0007 });
    expect(result.points).toBe(15);
    expect(preview.points).toBe(15);
    const told = Object.fromEntries(result.notes.map(({ what, count }) => [what, count]));
    expect(told).toEqual({
      'names of columns that stand there once more': 1,
      'rows with more cells than the header; what is too much is left out': 1,
      'rows with fewer cells than the header, taken as they are': 1,
      'values of train/loss that are no numbers, left out': 1,
      'rows whose step is no finite number, without their metrics': 1,
    });
  });

  it('puts steps in order, the last of equal ones counting (would catch points dropped for a step that lies behind)', async () => {
    const path = files.write('a.csv', 'Step,loss\n5,1\n3,2\n5,3\n4,4\n');
    const { preview } = await importInto(store, [path]);
    expect(pointsOf(store, runs()[0]!.id)).toEqual({
      loss: [
        [3, 2],
        [4, 4],
        [5, 3],
      ],
    });
    expect(preview.runs[0]!.series[0]).toMatchObject({ points: 4, disordered: 3, firstStep: 3, lastStep: 5 });
  });

  it('tells runs apart by a column, whatever the order of their rows', async () => {
    const rows = [1, 2, 3].flatMap((step) =>
      ['a', 'b'].map((run, i) => `${run},${7 + i},0.${i + 1},${step},${step + i}`),
    );
    const path = files.write('r.tsv', ['run_id,seed,lr,global_step,loss', ...rows].join('\n').replaceAll(',', '\t'));
    await importInto(store, [path]);
    expect(runs().map(({ name, seed, config }) => [name, seed, config])).toEqual([
      ['a', 7, { lr: 0.1, seed: 7 }],
      ['b', 8, { lr: 0.2, seed: 8 }],
    ]);
    expect(pointsOf(store, byName('b').id).loss).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    // Several runs of one file are compared with each other.
    expect(store.listSweeps().map(({ name, counts, origin }) => [name, counts.finished, origin])).toEqual([
      ['r', 2, 'import'],
    ]);
  });

  it('reads decimal commas, quotes, names in other scripts, names that occur twice, a mark and gzip', async () => {
    const text = '\uFEFFШаг;"精度; ""x""";loss;loss\n1;0,5;1,5;2\n2;0,25;1e-3;3\n';
    const path = files.write('a.csv.gz', gzipSync(text));
    const { result } = await importInto(store, [path], { roles: { Шаг: 'step' } });
    expect(pointsOf(store, runs()[0]!.id)).toEqual({
      '精度; "x"': [
        [1, 0.5],
        [2, 0.25],
      ],
      loss: [
        [1, 1.5],
        [2, 0.001],
      ],
      'loss (2)': [
        [1, 2],
        [2, 3],
      ],
    });
    expect(result.notes).toEqual([
      {
        what: 'names of columns that stand there more than once (loss), numbered',
        count: 1,
        first: 'a.csv.gz, line 1',
      },
    ]);
  });

  it('has no run of a row that says nothing but a name (would catch a broken row that becomes a run)', async () => {
    const path = files.write('broken.csv', 'run,step,loss\na,0,3\na,1,2\ngarbage\n');
    const { preview } = await importInto(store, [path]);
    expect(runs().map(({ name }) => name)).toEqual(['a']);
    expect(preview.sources[0]!.notes.map(({ what }) => what)).toContain(
      'runs of which nothing is said but a name, left out',
    );
  });

  it('takes a column for what the person says', async () => {
    const path = files.write('a.csv', 'step,lr,loss\n1,0.1,3\n2,0.1,2\n');
    await importInto(store, [path], { roles: { lr: 'metric', loss: 'ignore' } });
    expect(Object.keys(pointsOf(store, runs()[0]!.id))).toEqual(['lr']);
  });
});

describe('other tables', () => {
  it('a row for each point', async () => {
    const path = files.write(
      'long.csv',
      'run,metric,step,value\na,loss,1,3\na,acc,1,0.5\nb,loss,1,4\na,loss,2,NaN\na,,3,1\na,loss,x,1\n',
    );
    const { result } = await importInto(store, [path]);
    expect(pointsOf(store, byName('a').id)).toEqual({
      acc: [[1, 0.5]],
      loss: [
        [1, 3],
        [2, Number.NaN],
      ],
    });
    expect(result.notes.map(({ what, first }) => [what, first])).toEqual([
      ['points without a name of at most 200 characters, left out', 'long.csv, line 6'],
      ['rows whose step is no finite number, without their metrics', 'long.csv, line 7'],
    ]);
  });

  it('a row for each run, as the table of W&B: settings, seeds, states, last values', async () => {
    const path = files.write(
      'wandb_export.csv',
      [
        '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","seed","lr","model.depth","val/loss"',
        '"calm-sun-1","finished","first","me","base, x","2026-01-01T10:00:00.000Z","12","abc","1","0.1","2","3.25"',
        '"calm-sun-2","crashed","","me","","2026-01-01T10:00:00.000Z","13","abc","2","0.1","2","NaN"',
      ].join('\n'),
    );
    await importInto(store, [path]);
    const [first, second] = runs() as [RunRecord, RunRecord];
    expect(first).toMatchObject({
      name: 'calm-sun-1',
      state: 'finished',
      note: 'first',
      tags: ['base', 'x'],
      seed: 1,
      config: { lr: 0.1, 'model.depth': 2, seed: 1 },
      summary: { 'val/loss': 3.25, seconds: 12 },
      startedAt: Date.UTC(2026, 0, 1, 10),
      trained: 12_000,
    });
    expect(second).toMatchObject({ state: 'failed', seed: 2, summary: { 'val/loss': null } });
    expect(first.settingKey).toBe(second.settingKey);
    expect(store.getSweep(first.sweepId!)!.name).toBe('abc');
  });

  it('a chart of W&B: a column for each run', async () => {
    const path = files.write(
      'chart.csv',
      '"Step","a - b - val/loss","a - b - val/loss__MIN","a - b - val/loss__MAX","c - val/loss"\n"0","3.5","3.5","3.5","1"\n"10","3","3","3",""\n',
    );
    await importInto(store, [path]);
    expect(runs().map(({ name, id }) => [name, pointsOf(store, id)])).toEqual([
      [
        'a - b',
        {
          'val/loss': [
            [0, 3.5],
            [10, 3],
          ],
        },
      ],
      ['c', { 'val/loss': [[0, 1]] }],
    ]);
  });
});

describe('Parquet', () => {
  /** As pandas writes a frame with an index. */
  const frame = (): Uint8Array =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: '__index_level_0__', data: [0n, 1n, 2n], type: 'INT64' },
          { name: 'run_name', data: ['ä', 'ä', 'b'], type: 'STRING' },
          { name: 'global_step', data: [10n, 20n, 10n], type: 'INT64' },
          { name: 'eval/loss', data: [Number.NaN, 2.5, null], type: 'DOUBLE' },
          { name: 'train/loss', data: [3, -0, Infinity], type: 'FLOAT' },
          { name: 'config', data: [{ lr: 0.1, opt: { b: 2 } }, { lr: 0.1, opt: { b: 2 } }, { lr: 0.2 }], type: 'JSON' },
          { name: 'time', data: [1000, 3000, 5000].map((ms) => new Date(AT + ms)), type: 'TIMESTAMP' },
        ],
        rowGroupSize: 2,
      }),
    );
  const AT = Date.UTC(2026, 0, 1);

  it('a row for each step: whole numbers, times, nothing, objects, in several groups of rows', async () => {
    await importInto(store, [files.write('frame.parquet', frame())]);
    expect(runs().map(({ name, config, startedAt }) => [name, config, startedAt])).toEqual([
      ['ä', { lr: 0.1, 'opt.b': 2 }, AT + 1000],
      ['b', { lr: 0.2 }, AT + 5000],
    ]);
    expect(pointsOf(store, byName('ä').id)).toEqual({
      'eval/loss': [
        [10, Number.NaN],
        [20, 2.5],
      ],
      'train/loss': [
        [10, 3],
        [20, -0],
      ],
      seconds: [
        [10, 0],
        [20, 2],
      ],
    });
    expect(pointsOf(store, byName('b').id)).toEqual({ 'train/loss': [[10, Infinity]] });
  });

  it('packed, which is held to be read', async () => {
    const path = files.write('frame.parquet.gz', gzipSync(frame()));
    expect((await importInto(store, [path])).preview.counts.new).toBe(2);
  });

  it('any byte may be wrong (would catch a page without a size, at which the library stays for ever, and columns that fail unheard)', async () => {
    const sound = frame();
    for (let at = 4; at < sound.length - 8; at += 3) {
      const wrong = sound.with(at, at % 2 === 0 ? 0xff : 0);
      await using reading = await ImportReading.open([{ path: files.write('wrong.parquet', wrong) }], {
        kinds: importFamily.kinds,
      });
      await reading.survey().catch(({ name }: Error) => expect(name).toBe('ImportError'));
    }
  });

  it('a file that is cut off is refused in words', async () => {
    await expect(importInto(store, [files.write('cut.parquet', frame().subarray(0, 200))])).rejects.toThrow(
      /cut\.parquet is not a whole Parquet file/u,
    );
  });
});

describe('JSON', () => {
  it('events of mainrun: what sets up is settings, training and validation have their losses', async () => {
    const path = files.write(
      'mainrun.log',
      [
        '{"event": "hyperparameters_configured", "timestamp": 1750000000.5, "lr": 0.006, "seed": 1337, "optimizer": "sgd"}',
        '{"event": "model_info", "timestamp": 1750000000.6, "parameters_count": 27172864}',
        '{"event": "training_step", "timestamp": 1750000001.5, "step": 1, "max_steps": 938, "loss": 9.75, "prnt": false}',
        '{"event": "validation_step", "timestamp": 1750000002.5, "step": 1, "max_steps": 938, "loss": NaN}',
        '{"event": "training_step", "timestamp": 1750000003.5, "step": 2, "loss": 9.5}',
        'not JSON',
        '[1]',
      ].join('\n'),
    );
    const { result } = await importInto(store, [path]);
    const [run] = runs() as [RunRecord];
    expect(run).toMatchObject({
      name: 'mainrun',
      seed: 1337,
      config: { lr: 0.006, optimizer: 'sgd', seed: 1337 },
      parameters: 27172864,
      startedAt: 1750000000500,
      endedAt: 1750000003500,
    });
    expect(pointsOf(store, run.id)).toMatchObject({
      'train/loss': [
        [1, 9.75],
        [2, 9.5],
      ],
      'val/loss': [[1, Number.NaN]],
    });
    expect(result.notes.map(({ what, count }) => [what, count])).toEqual([
      ['lines that are no JSON, left out', 1],
      ['rows that are no objects, left out', 1],
    ]);
  });

  it('two runs in a file, where a second configuration comes', async () => {
    const run = (lr: number): string =>
      `{"config": {"lr": ${lr}}}\n${[1, 2].map((step) => `{"step": ${step}, "train": {"loss": ${lr * step}}}`).join('\n')}\n`;
    await importInto(store, [files.write('two.jsonl', run(1) + run(2))]);
    expect(runs().map(({ config, id }) => [config, pointsOf(store, id)['train.loss']])).toEqual([
      [
        { lr: 1 },
        [
          [1, 1],
          [2, 2],
        ],
      ],
      [
        { lr: 2 },
        [
          [1, 2],
          [2, 4],
        ],
      ],
    ]);
  });

  it('trainer_state.json: the latest of several checkpoints', async () => {
    const state = (steps: number): string =>
      JSON.stringify({
        global_step: steps,
        max_steps: 20,
        num_train_epochs: 3,
        log_history: [
          { step: 10, loss: 2.5, learning_rate: 5e-5, epoch: 0.5 },
          { step: 10, eval_loss: 2.25 },
          { epoch: 1 },
          { step: steps, loss: 2, train_runtime: 12 },
        ],
      });
    files.write('out/checkpoint-10/trainer_state.json', state(10));
    files.write('out/checkpoint-15/trainer_state.json', state(15));
    const { result } = await importInto(store, [files.folder]);
    const [run] = runs() as [RunRecord];
    expect(runs()).toHaveLength(1);
    expect(run).toMatchObject({
      name: 'out',
      state: 'stopped',
      endReason: 'at step 15 of 20',
      summary: { train_runtime: 12 },
    });
    expect(pointsOf(store, run.id)).toMatchObject({
      'train/loss': [
        [10, 2.5],
        [15, 2],
      ],
      'eval/loss': [[10, 2.25]],
    });
    expect(result.notes.map(({ what }) => what)).toEqual([
      'earlier checkpoints of the same run, whose log the latest holds',
      'entries of the log without a step, left out',
    ]);
  });
});

describe('console logs', () => {
  it.each([
    [
      'nanoGPT',
      'n_layer = 4\nstep 0: train loss 4.25, val loss 4.5\niter 0: loss 4.2331, time 3042.43ms, mfu -100.00%\niter 10: loss 3.1474, time 23.43ms, mfu 12.1%\n',
      {
        'train/loss': [[0, 4.25]],
        'val/loss': [[0, 4.5]],
        loss: [
          [0, 4.2331],
          [10, 3.1474],
        ],
        time_ms: [
          [0, 3042.43],
          [10, 23.43],
        ],
        mfu: [
          [0, -100],
          [10, 12.1],
        ],
      },
    ],
    [
      'modded-nanogpt',
      'step:0/1390 val_loss:10.8258 train_time:0ms step_avg:nanms\nstep:1/1390 train_time:208ms step_avg:208.25ms\n',
      {
        val_loss: [[0, 10.8258]],
        train_time_ms: [
          [0, 0],
          [1, 208],
        ],
        step_avg_ms: [
          [0, Number.NaN],
          [1, 208.25],
        ],
      },
    ],
    [
      'llm.c',
      'step    1/19560 | loss 10.987 (+nanz)| norm 15.3 (+nanz)| lr 2.5e-07 | 1234.5 ms | 45.6% bf16 MFU | 12345 tok/s\n',
      { loss: [[1, 10.987]], norm: [[1, 15.3]], lr: [[1, 2.5e-7]] },
    ],
    [
      'build-nanogpt',
      '0 val 10.95\n0 train 10.97\n250 hella 0.25\n',
      { 'val/loss': [[0, 10.95]], 'train/loss': [[0, 10.97]], hellaswag: [[250, 0.25]] },
    ],
    [
      'the Trainer',
      "{'loss': 2.5, 'learning_rate': 5e-05, 'epoch': 0.5}\n 10%|█  | 1/10 [00:01<00:09]\n{'loss': 2.25, 'learning_rate': 4e-05, 'epoch': 1.0}\n",
      {
        loss: [
          [0, 2.5],
          [1, 2.25],
        ],
        learning_rate: [
          [0, 5e-5],
          [1, 4e-5],
        ],
        epoch: [
          [0, 0.5],
          [1, 1],
        ],
      },
    ],
  ])('%s', async (name, text, expected) => {
    await importInto(store, [files.write(`${name}.txt`, text)]);
    const [run] = runs() as [RunRecord];
    expect(pointsOf(store, run.id)).toMatchObject(expected);
    expect(store.readEvents({ runId: run.id, kinds: ['log'] }).map(({ message }) => message)).toEqual(
      text.trimEnd().split('\n'),
    );
    if (name === 'nanoGPT') expect(run.config).toEqual({ n_layer: 4 });
  });
});
