/** Files as people have them from their trackers, with what is odd about each, and what becomes of them. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import { storeInFolder } from '../exchange/storeInFolder.ts';
import { importInto } from './importInto.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));
const PUBLIC = fileURLToPath(new URL('../../fixtures/trackers/public/', import.meta.url));

interface Becomes {
  /** What is odd about it. */
  readonly odd: string;
  readonly file: string;
  readonly kind: string;
  /** Name, seed (`1*`: numbered), settings, state, series as `metric points@first–last (!: not finite)`, values at the end. */
  readonly runs: readonly (readonly [string, string, object, string, string, object?])[];
  readonly notes?: readonly string[];
}

const BECOMES: readonly Becomes[] = [
  {
    odd: 'a history of W&B through pandas: a column without a name, rows that lack most metrics, NaN',
    file: 'wandb-history.csv',
    kind: 'csv',
    runs: [
      [
        'wandb-history',
        '1*',
        {},
        'finished',
        'seconds 5@0–260, train/loss 5@0–260 !1, train/lr 5@0–260, val/loss 2@0–250, grad_norm 4@10–260 !1',
      ],
    ],
  },
  {
    odd: 'the table of runs as the guide of W&B makes it: summary and config are objects of Python',
    file: 'wandb-runs.csv',
    kind: 'csv',
    runs: ['super-salad-12', 'eager-wave-13'].map((name, i) => [
      name,
      String(1337 + i),
      { lr: 0.0006, n_layer: 6, compile: true, dataset: 'openwebtext', betas: '[0.9,0.95]', seed: 1337 + i },
      'finished',
      '',
      i === 0 ? { 'val/loss': 3.281, 'train/loss': 3.19 } : { 'val/loss': 3.302, 'train/loss': Number.NaN },
    ]),
  },
  {
    odd: 'a chart saved by W&B: a column for each run, beside its envelope; one run has gaps',
    file: 'wandb-chart.csv',
    kind: 'csv',
    runs: [
      ['gpt2-small', '1*', {}, 'finished', 'val/loss 3@0–500'],
      ['gpt2-medium', '2*', {}, 'finished', 'val/loss 2@0–500'],
    ],
  },
  {
    odd: 'a scalar downloaded from TensorBoard: only the name of the file says of what',
    file: 'run-lr_3e-4_train-tag-Loss_train.csv',
    kind: 'csv',
    runs: [['lr_3e-4_train', '1*', {}, 'finished', 'Loss_train 3@0–200 !1, seconds 3@0–200']],
  },
  {
    odd: 'a folder of Lightning: settings in a file beside, several rows of a step, each with other columns',
    file: 'lightning_logs',
    kind: 'lightning',
    runs: [
      [
        'version_3',
        '7',
        { batch_size: 64, hidden: 128, 'optimizer.name': 'AdamW', 'optimizer.lr': 0.001, 'lr-AdamW': 0.001, seed: 7 },
        'finished',
        'epoch 7@49–199 ~3, train_loss_step 3@49–149, val_acc 2@99–199, val_loss 2@99–199, train_loss_epoch 2@99–199',
      ],
    ],
  },
  {
    odd: 'training.log of Keras: a table in a log, and a second training behind the first without new names',
    file: 'keras-training.log',
    kind: 'csv',
    runs: [
      ['keras-training', '1*', {}, 'finished', 'accuracy 3@0–2, loss 3@0–2, val_accuracy 3@0–2, val_loss 3@0–2'],
      ['keras-training #2', '2*', {}, 'finished', 'accuracy 2@0–1, loss 2@0–1, val_accuracy 2@0–1, val_loss 2@0–1'],
    ],
  },
  {
    odd: 'results.csv of Ultralytics: names and numbers filled up with spaces, epochs for steps, brackets in names',
    file: 'ultralytics-results.csv',
    kind: 'csv',
    runs: [
      [
        'ultralytics-results',
        '1*',
        {},
        'finished',
        'train/box_loss 3@1–3, train/cls_loss 3@1–3, metrics/precision(B) 3@1–3 !1, metrics/mAP50(B) 3@1–3, val/box_loss 3@1–3, lr/pg0 3@1–3',
      ],
    ],
  },
  {
    odd: 'the table of MLflow’s page: a row for each run, durations in words, one that failed without a value',
    file: 'mlflow-runs.csv',
    kind: 'csv',
    runs: [
      [
        'bald-eagle-1',
        '1',
        { dropout: 0.1, lr: 0.001, seed: 1 },
        'finished',
        '',
        { val_loss: 0.3122, val_acc: 0.9012 },
      ],
      ['calm-crab-2', '2', { dropout: 0.1, lr: 0.001, seed: 2 }, 'finished', '', { val_loss: 0.3201, val_acc: 0.8987 }],
      ['odd-owl-3', '1', { dropout: 0.5, lr: 0.01, seed: 1 }, 'failed', ''],
    ],
  },
  {
    odd: 'saved by a spreadsheet: a mark, semicolons, decimal commas, a name twice, names once more, an empty row',
    file: 'excel.csv',
    kind: 'csv',
    runs: [
      ['Größe 64', '1*', { Lernrate: 0.001 }, 'finished', 'Loss 2@0–100, Loss (2) 2@0–100'],
      ['Größe 128', '2*', { Lernrate: 0.001 }, 'finished', 'Loss 2@0–100, Loss (2) 2@0–100 !1'],
    ],
    notes: [
      '1 names of columns that stand there more than once (Loss), numbered',
      '1 names of columns that stand there once more',
      '1 runs of which nothing is said but a name, left out',
    ],
  },
  {
    odd: 'a log of modded-nanogpt: numbers glued to their units, nan, lines without a step',
    file: 'modded-nanogpt.log',
    kind: 'console-log',
    runs: [
      ['modded-nanogpt', '1*', {}, 'finished', 'val_loss 3@0–250 !1, train_time_ms 4@0–250, step_avg_ms 4@0–250 !1'],
    ],
  },
  {
    odd: 'checkpoints of Hugging Face’s Trainer: bare NaN, training and evaluation at one step, not at its end',
    file: 'hf',
    kind: 'trainer-state',
    runs: [
      [
        'hf',
        '1*',
        { max_steps: 1500, num_train_epochs: 3, train_batch_size: 8, logging_steps: 500 },
        'stopped',
        'epoch 4@500–1000 ~2, train/grad_norm 2@500–1000 !1, train/learning_rate 2@500–1000, train/loss 2@500–1000, eval/loss 2@500–1000, eval/runtime 1@500–500',
      ],
    ],
    notes: ['1 earlier checkpoints of the same run, whose log the latest holds'],
  },
];

it.each(BECOMES.map((each) => [each.odd, each] as const))('%s', async (_, { file, kind, runs, notes = [] }) => {
  const { preview, result } = await importInto(store, [PUBLIC + file]);
  expect(preview.sources.map((source) => source.kind)).toEqual([kind]);
  expect(preview.leftOut).toEqual([]);
  expect(
    preview.runs.map(({ name, seed, seedSaid, config, state, series }) => [
      name,
      `${seed}${seedSaid ? '' : '*'}`,
      config,
      state,
      series
        .map(
          ({ metric, points, firstStep, lastStep, nonFinite, disordered }) =>
            `${metric} ${points}@${firstStep}–${lastStep}${disordered > 0 ? ` ~${disordered}` : ''}${nonFinite > 0 ? ` !${nonFinite}` : ''}`,
        )
        .join(', '),
    ]),
  ).toEqual(runs.map((each) => each.slice(0, 5)));
  expect(preview.sources[0]!.notes.map(({ count, what }) => `${count} ${what}`)).toEqual(notes);
  for (const [i, id] of result.created.entries()) {
    const finals = Object.entries(runs[i]![5] ?? {}) as [string, number][];
    expect(store.getRun(id)!.summary).toMatchObject(
      Object.fromEntries(finals.map(([name, value]) => [name, Number.isFinite(value) ? value : null])),
    );
  }
  // Once more changes nothing.
  expect((await importInto(store, [PUBLIC + file])).preview.counts).toMatchObject({ same: runs.length, new: 0 });
});
