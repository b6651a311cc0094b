/** Malformed files of every format that is imported: what is wrong is told or refused in words, and nothing is ever stored half. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect } from 'vitest';
import type { Store } from '../../../main/store/index.ts';
import { randomNumbers } from '../exchange/randomRuns.ts';
import { Files, importInto } from './importInto.ts';

const RECORDED = fileURLToPath(new URL('../../fixtures/trackers', import.meta.url));
const recorded = (path: string): Buffer => readFileSync(join(RECORDED, path));

/** A sound file of each sort, by its name. */
const SOUND: readonly (readonly [string, Buffer])[] = [
  ['hist.csv', Buffer.from('step,train/loss,val/loss,lr\n0,4.5,,1\n10,3.25,3.5,1\n20,nan,3.125,1\n')],
  ['long.csv', Buffer.from('run,metric,step,value\na,loss,1,3\na,"a,b",1,0.5\nb,loss,1,4\n')],
  [
    'runs.csv',
    Buffer.from('Name,State,Tags,Created,seed,lr,val/loss\na,finished,"x, y",2026-01-01T10:00:00Z,1,0.1,3\n'),
  ],
  [
    'results.csv',
    Buffer.from('val_loss,cumulative_time,tokens_seen,run_num,model_scale,seed\n"[1, 2]","[1, 2]","[3, 4]",0,1.0,5\n'),
  ],
  [
    'log.jsonl',
    Buffer.from('{"event":"hyperparameters_configured","lr":1}\n{"event":"training_step","step":1,"loss":NaN}\n'),
  ],
  ['list.json', Buffer.from('[{"step":1,"loss":2,"config":{"lr":0.1}},{"step":2,"loss":1}]')],
  [
    'trainer_state.json',
    Buffer.from('{"global_step":2,"max_steps":3,"log_history":[{"step":1,"loss":2},{"step":2,"eval_loss":1}]}'),
  ],
  [
    'train.log',
    Buffer.from(
      "lr = 1\nstep 0: train loss 4.25, val loss 4.5\n{'loss': 2.5, 'epoch': 0.5}\niter 10: loss 3, time 2ms\n",
    ),
  ],
  ['lightning/metrics.csv', Buffer.from('epoch,step,train_loss,val_loss\n0,1,2,\n0,2,,1\n')],
  ['packed.csv.gz', gzipSync('step,loss\n1,2\n2,3\n')],
  [
    'table.parquet',
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'run', data: ['a', 'a', 'b'] },
          { name: 'step', data: [1n, 2n, 1n] },
          { name: 'loss', data: [3, Number.NaN, 4], type: 'DOUBLE' },
          { name: 'config', data: [{ lr: 1 }, { lr: 1 }, { lr: 2 }], type: 'JSON' },
        ],
      }),
    ),
  ],
  ['run-a.wandb', recorded('wandb/offline-run-20261127_152341-tp3vwj4d/run-tp3vwj4d.wandb')],
  ['events.out.tfevents.1.a', recorded('runs/run1/events.out.tfevents.1795793027.vm.13266.0')],
  ['mlruns/1/r/metrics/loss', Buffer.from('1700000001000 3.5 0\n1700000002000 nan 10\n')],
  ['mlruns/1/r/meta.yaml', Buffer.from('run_id: r\nrun_name: n\nstatus: 3\nstart_time: 1700000000000\n')],
];
const WORDS = [
  'NaN',
  '1e999',
  '-0',
  '"',
  '\\',
  ',',
  '\n',
  '\r\n',
  '{',
  ']',
  '\0',
  '\uFEFF',
  '__proto__',
  '9'.repeat(400),
  'é',
  '\uD83D',
  '# ',
  '=1+1',
  "'",
  '|',
  '[',
  ' - ',
];

/** One to eight changes: bytes turned, cut, doubled, moved, words put in, another file behind. */
function spoilt(sound: Buffer, random: () => number): Buffer {
  const below = (n: number): number => Math.floor(random() * n);
  let bytes = Buffer.from(sound);
  for (let changes = 1 + below(8); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const to = Math.min(bytes.length, at + below(1 + below(200)));
    const [head, part, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    const made = [
      () => Buffer.concat([head, Buffer.from(part).map((byte) => byte ^ (1 << below(8))), tail]),
      () => head,
      () => tail,
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, part, part, tail]),
      () => Buffer.concat([tail, part, head]),
      () => Buffer.concat([head, Buffer.from(WORDS[below(WORDS.length)]!), part, tail]),
      () => Buffer.concat([head, Buffer.from(Array.from({ length: below(40) }, () => below(256))), tail]),
      () => Buffer.concat([bytes, SOUND[below(SOUND.length)]![1]]),
    ] as const;
    bytes = Buffer.from(made[below(made.length)]!());
  }
  return bytes;
}

/** A malformed file of one of the sorts, by turns, and what lies beside it. */
export function malformedFiles(number: number, random: () => number): Record<string, Buffer> {
  const [name, sound] = SOUND[number % SOUND.length]!;
  const beside = name.startsWith('mlruns') ? SOUND.filter(([other]) => other.startsWith('mlruns')) : [];
  return { ...Object.fromEntries(beside), [name]: spoilt(sound, random) };
}

/** Errors that are written for people. */
const TOLD = new Set(['ImportError', 'DataError', 'CompressionError']);

/** Imports so many malformed files, one after another, into the same store. */
export async function importMalformed(
  store: Store,
  count: number,
  seed: number,
): Promise<{ read: number; refused: number }> {
  const random = randomNumbers(seed);
  let read = 0;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    using files = new Files();
    const made = Object.entries(malformedFiles(i, random));
    for (const [name, content] of made) files.write(name, content);
    const before = store.countRuns({ deleted: 'any' });
    const what = `file ${i} (${made.at(-1)![0]}), seed ${seed}`;
    try {
      const { preview, result } = await importInto(store, [files.folder]);
      read++;
      expect(store.countRuns({ deleted: 'any' }), what).toBe(before + result.created.length);
      const points = result.created.concat(result.updated).flatMap((id) => Object.values(store.metricStates(id)));
      expect(
        points.reduce((sum, state) => sum + state.points, 0),
        what,
      ).toBe(result.points);
      // Points that are put in order may fall together; none may be left out without a word.
      const disordered = preview.runs.flatMap(({ series }) => series).reduce((sum, each) => sum + each.disordered, 0);
      if (preview.counts.here + preview.counts.same === 0) {
        expect(result.points, what).toBeLessThanOrEqual(preview.points);
        expect(result.points, what).toBeGreaterThanOrEqual(preview.points - disordered);
      }
    } catch (error) {
      if (!TOLD.has((error as Error).name)) throw new Error(`${what}: ${(error as Error).stack}`, { cause: error });
      refused++;
      expect(store.countRuns({ deleted: 'any' }), what).toBe(before);
    }
  }
  expect(store.outside.dropUnfinished()).toBe(0);
  expect(store.check()).toEqual([]);
  expect(Object.prototype).not.toHaveProperty('lr');
  return { read, refused };
}
