/** Files of other tools: recorded from the real clients (wandb 0.30.0, PyTorch's SummaryWriter) or written as they write them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { Files, importInto, pointsOf } from './importInto.ts';

const RECORDED = fileURLToPath(new URL('../../fixtures/trackers', import.meta.url));
let store: Store;
let files: Files;
storeInFolder((made) => ({ store } = made));
beforeEach(() => {
  files = new Files();
});
afterEach(() => files[Symbol.dispose]());
const only = (): RunRecord => {
  expect(store.countRuns()).toBe(1);
  return store.listRuns()[0]!;
};

it('a run of the W&B client: rows that skip steps, NaN, objects, text, summary (would catch points under the number of their row)', async () => {
  const { result } = await importInto(store, [join(RECORDED, 'wandb')]);
  const run = only();
  expect(run).toMatchObject({
    name: 'calm-sun-7',
    note: 'first',
    tags: ['base', 'ü'],
    seed: 3,
    config: { lr: 0.001, 'model.depth': 2, 'model.dropout': 0.1, seed: 3 },
    state: 'finished',
    steps: 58,
    environment: { project: 'char-lm', wandb_run: 'tp3vwj4d' },
  });
  expect(run.summary).toMatchObject({ best: 1.5, 'grad.norm': null });
  expect(store.getSweep(run.sweepId!)!.name).toBe('char-lm');
  const points = pointsOf(store, run.id);
  // As the script logged them.
  const steps = Array.from({ length: 30 }, (_, i) => i);
  expect(points['train/loss']).toEqual(steps.map((i) => [2 * i, i === 7 ? Number.NaN : 4 - i * 0.1]));
  expect(points['精度']).toEqual(steps.map((i) => [2 * i, i / 30]));
  expect(points['val/loss']).toEqual([0, 10, 20].map((i) => [2 * i, 4.2 - i * 0.1]));
  expect(points['grad.norm']).toEqual([[16, Infinity]]);
  expect(points.seconds).toHaveLength(30);
  expect(result.notes.map(({ what, count }) => [what, count])).toEqual([
    ['entries of sample that are no numbers, left out', 1],
  ]);
  expect(store.readEvents({ runId: run.id, kinds: ['log'] }).map(({ message }) => message)).toContain(
    'hello from the script',
  );
});

it('a run of TensorBoard that was resumed, with hyperparameters in a folder of their own', async () => {
  const { result, preview } = await importInto(store, [join(RECORDED, 'runs')]);
  const run = only();
  expect(run.name).toBe('run1');
  expect(run.config).toEqual({ lr: expect.closeTo(0.001, 9) as number, depth: 2, optim: 'adam', bias: 1 });
  const points = pointsOf(store, run.id);
  // The second file begins at step 18 again: what it says counts.
  expect(points['Loss/train']).toEqual(
    Array.from({ length: 25 }, (_, i) => [i, Math.fround(i < 18 ? 4 - i * 0.1 : 3 - i * 0.01)]),
  );
  expect(points['Loss/valid']).toEqual([0, 5, 10, 15].map((i) => [i, Math.fround(4.1 - i * 0.1)]));
  expect(points['hparam/loss']).toHaveLength(1);
  expect(preview.runs[0]!.series.find(({ metric }) => metric === 'Loss/train')).toMatchObject({
    disordered: 2,
    points: 27,
  });
  expect(result.notes.map(({ what, count }) => [what, count])).toContainEqual([
    'values that are no numbers (pictures, histograms, sounds), left out',
    1,
  ]);
});

it('a folder of MLflow: states, parameters, notes, a deleted run, lines that are wrong', async () => {
  const run = (id: string, more: string): void => {
    files.write(
      `mlruns/12/${id}/meta.yaml`,
      `run_id: ${id}\nrun_uuid: ${id}\nrun_name: ${id} name\nstart_time: 1700000000000\nend_time: 1700000009000\n${more}`,
    );
    files.write(`mlruns/12/${id}/params/lr`, '1e-3');
    files.write(`mlruns/12/${id}/params/opt`, 'adam');
    files.write(`mlruns/12/${id}/tags/mlflow.note.content`, 'a note');
    files.write(
      `mlruns/12/${id}/metrics/val/loss`,
      '1700000001000 3.5 0\n1700000002000 nan 10\nbroken\n1700000003000 -inf 20\n',
    );
  };
  files.write('mlruns/12/meta.yaml', 'experiment_id: "12"\nname: my experiment\n');
  run('aa', 'status: 3\nlifecycle_stage: active\n');
  run('bb', 'status: 4\nlifecycle_stage: active\n');
  run('cc', 'status: 3\nlifecycle_stage: deleted\n');
  const { result } = await importInto(store, [join(files.folder, 'mlruns')]);
  const runs = store.listRuns();
  expect(runs.map(({ name, state, config, note, seed }) => [name, state, config, note, seed])).toEqual([
    ['aa name', 'finished', { lr: 0.001, opt: 'adam' }, 'a note', 1],
    ['bb name', 'failed', { lr: 0.001, opt: 'adam' }, 'a note', 2],
  ]);
  expect(pointsOf(store, runs[0]!.id)).toEqual({
    'val/loss': [
      [0, 3.5],
      [10, Number.NaN],
      [20, -Infinity],
    ],
  });
  expect(store.getSweep(runs[0]!.sweepId!)!.name).toBe('my experiment');
  expect(result.notes.map(({ what, count }) => [what, count])).toEqual([
    ['lines of a metric that are no time, value and step, left out', 2],
    ['runs that were deleted in MLflow, left out', 1],
  ]);
});

it('the results file of hlb-gpt-cli: curves get the names of metrics, limits that are off are none', async () => {
  const columns =
    'last_val_loss,model_scale,depth,width,num_params,num_non_embedding_params,num_heads,linear_value,seed,run_num,max_epochs,max_steps,max_tokens,max_time_seconds,gpu_capacity_scalar,train_loss,val_loss,train_acc,val_acc,train_pplx,val_pplx,grad_norm,cumulative_time,tokens_seen,epoch,batch_size,seq_length,learning_rate,weight_decay';
  const row = (seed: number): string =>
    `3.5,1.0,8,384,46009736,1000,3,False,${seed},0,1000000000.0,500,1000000000000,1000000000,1.0,"[4.5, 3.75]","[4.25, 3.5]","[0.1, 0.2]","[0.1, nan]","[90.0, 42.5]","[70.1, 33.1]","[0.5, 0.25]","[1.5, 3.0]","[1000, 2000]","[0.1, 0.2]","[16, 32]","[512, 512]","[0.01, 0.005]","[0.0625, 0.0625]"`;
  await importInto(store, [files.write('results_041.csv', [columns, row(100), row(101)].join('\n'))]);
  const [first, second] = store.listRuns() as [RunRecord, RunRecord];
  expect(first).toMatchObject({
    seed: 100,
    parameters: 46009736,
    tokens: 2000,
    config: {
      depth: 8,
      width: 384,
      num_heads: 3,
      linear_value: false,
      max_steps: 500,
      seq_length: 512,
      weight_decay: 0.0625,
    },
    summary: { 'val/loss': 3.5, 'val/accuracy': null },
  });
  expect(first.config).not.toHaveProperty('max_epochs');
  expect([second.seed, second.settingKey]).toEqual([101, first.settingKey]);
  expect(pointsOf(store, first.id)).toMatchObject({
    'val/loss': [
      [0, 4.25],
      [1, 3.5],
    ],
    seconds: [
      [0, 1.5],
      [1, 3],
    ],
    lr: [
      [0, 0.01],
      [1, 0.005],
    ],
  });
});

it('damaged files of the real clients: what is whole is read, what is not is told (would catch a crash at the first wrong sum)', async () => {
  const { readFileSync } = await import('node:fs');
  const name = 'offline-run-20261127_152341-tp3vwj4d/run-tp3vwj4d.wandb';
  const bytes = readFileSync(join(RECORDED, 'wandb', name));
  files.write(`cut/${name}`, bytes.subarray(0, 6000));
  const cut = await importInto(store, [join(files.folder, 'cut')]);
  expect(cut.result.notes.map(({ what }) => what)).toContain('records that break off');
  expect(only()).toMatchObject({ state: 'failed', name: 'calm-sun-7' });
  expect(only().endReason).toContain('no end');
  const event = join(RECORDED, 'runs/run1/events.out.tfevents.1795793027.vm.13266.2');
  const wrong = Buffer.from(readFileSync(event));
  wrong[100]! ^= 0x40;
  files.write('wrong/events.out.tfevents.1.a', wrong);
  const damaged = await importInto(store, [join(files.folder, 'wrong')]);
  expect(damaged.result.notes.map(({ what }) => what).join()).toMatch(/damaged/u);
  expect(damaged.result.created).toHaveLength(1);
});

it('a file of the W&B client among others takes only its own (would catch a table that is neither read nor told)', async () => {
  const { readFileSync } = await import('node:fs');
  const name = 'offline-run-20261127_152341-tp3vwj4d/run-tp3vwj4d.wandb';
  files.write('mixed/run.wandb', readFileSync(join(RECORDED, 'wandb', name)));
  files.write('mixed/files/table.csv', 'step,loss\n1,2\n');
  files.write('mixed/a.csv', 'step,loss\n1,2\n2,1\n');
  const { result } = await importInto(store, [join(files.folder, 'mixed')]);
  expect(result.created).toHaveLength(2);
  expect(store.listRuns().map((run) => run.name)).toContain('a');
});
