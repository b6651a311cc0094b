/** W&B's offline runs read back by a reader of its own, written from the formats' descriptions. */
import { describe, expect, it } from 'vitest';
import { levelDbLog } from '../../../main/lab/exchange/encodings/levelDbLog.ts';
import { exportFiles } from '../../../main/lab/exchange/exports.ts';
import { nested, wandb } from '../../../main/lab/exchange/wandb.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { Wanted } from '../../../main/lab/exchange/exports.ts';
import { fieldsOf, integer, message, messages, text } from './readProto.ts';
import type { Field } from './readProto.ts';
import { crcOf } from './crcOf.ts';
import { randomNumbers, randomRuns } from './randomRuns.ts';
import { storeInFolder } from './storeInFolder.ts';

const registry = builtInRegistry();
const { defaults } = registry;
let store: Store;
storeInFolder((made) => ({ store } = made));

/** CRC-32 by its definition (IEEE 802.3). */
const slowCrc = crcOf(0xedb88320);

const whole = (pieces: Iterable<string | Uint8Array>): Buffer =>
  Buffer.concat([...pieces].map((piece) => Buffer.from(piece as string)));

const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

/** Every record; sums, types and padding must be right. */
function recordsOf(bytes: Buffer): Buffer[] {
  expect(bytes.subarray(0, 7).toString('hex')).toBe('3a572642e1be00');
  const records: Buffer[] = [];
  let parts: Buffer[] | undefined;
  for (let at = 7; at < bytes.length;) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      if (!bytes.subarray(at, at + left).every((byte) => byte === 0)) throw new Error(`padding at ${at}`);
      at += left;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6];
    const data = bytes.subarray(at + 7, at + 7 + length);
    if (length + 7 > left || data.length < length) throw new Error(`chunk at ${at} leaves its block`);
    if (bytes.readUInt32LE(at) !== slowCrc(bytes.subarray(at + 6, at + 7 + length))) throw new Error(`sum at ${at}`);
    if ((type === FULL || type === FIRST) !== (parts === undefined)) throw new Error(`type ${type} at ${at}`);
    if (![FULL, FIRST, MIDDLE, LAST].includes(type)) throw new Error(`type ${type} at ${at}`);
    parts = [...(parts ?? []), data];
    if (type === FULL || type === LAST) {
      records.push(Buffer.concat(parts));
      parts = undefined;
    }
    at += 7 + length;
  }
  expect(parts).toBeUndefined();
  return records;
}

describe('the log', () => {
  it('is what the client writes, to the byte', () => {
    const exit = Uint8Array.of(0x08, 1, 0x92, 1, 0);
    expect(whole(levelDbLog([exit])).toString('hex')).toBe('3a572642e1be007d03de150500010801920100');
  });

  it('parts records at blocks wherever they end (would catch a second beginning where only a header had room)', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = randomNumbers(seed);
    for (let left = 0; left <= 16; left++) {
      // The first record leaves so many bytes of the block.
      const sizes = [32_768 - 7 - 7 - left, 0, 5, 40_000, Math.floor(random() * 70_000), left === 7 ? 300_000 : 1];
      const records = sizes.map((size) => new Uint8Array(size).map(() => random() * 256));
      const found = recordsOf(whole(levelDbLog(records)));
      expect(found).toHaveLength(records.length);
      const wrong = found.findIndex((record, i) => !record.equals(records[i]!));
      expect(wrong, `left ${left}, seed ${seed}`).toBe(-1);
    }
  });
});

type Fields = Map<number, Field[]>;
/** Items of an update, with the parts of their keys joined by `>`. */
const itemsOf = (items: readonly Fields[]): Map<string, string> =>
  new Map(
    items.map((item) => {
      const path = (item.get(2) ?? []).map((part) => Buffer.from(part as Uint8Array).toString());
      return [item.has(1) ? text(item, 1) : path.join('>'), text(item, 16)];
    }),
  );

interface ReadRun {
  readonly run: Fields;
  readonly config: Map<string, unknown>;
  readonly rows: { readonly step: number; readonly items: Map<string, string> }[];
  readonly summary: Map<string, string>;
  readonly lines: string[];
  readonly exit: number | undefined;
}

function readRun(bytes: Buffer): ReadRun {
  const records = recordsOf(bytes).map(fieldsOf);
  expect(records.map((record) => integer(record, 1))).toEqual(records.map((_, i) => i + 1));
  expect(records[0].has(21)).toBe(true);
  const run = message(records[1], 17);
  const of = (field: number): Fields[] => records.filter((each) => each.has(field)).map((each) => message(each, field));
  const [exit] = of(18);
  if (exit !== undefined) expect(records.at(-1)!.has(18)).toBe(true);
  return {
    run,
    config: new Map(
      [...itemsOf(messages(message(run, 4), 1))].map(([key, json]) => [key, JSON.parse(json) as unknown]),
    ),
    rows: of(2).map((row) => ({ step: integer(message(row, 2), 1), items: itemsOf(messages(row, 1)) })),
    summary: itemsOf(of(3).flatMap((each) => messages(each, 1))),
    lines: of(13).map((line) => `${integer(line, 1)} ${text(line, 3)}`),
    exit: exit && integer(exit, 1),
  };
}

/** What is written for every run, in the order of the runs. */
function exported(wanted: Wanted): (ReadRun & { readonly path: string; readonly details: Record<string, unknown> })[] {
  const files = [...exportFiles(store, registry, wandb, wanted)];
  return wanted.runs.map((_, i) => {
    const [log, details] = files.slice(2 * i);
    expect(details.path).toBe(`${log.path.split('/')[0]}/files/sweeplab.json`);
    return {
      ...readRun(whole(log.pieces)),
      path: log.path,
      details: JSON.parse(whole(details.pieces).toString()) as Record<string, unknown>,
    };
  });
}

describe('the folder for W&B', () => {
  it('holds every point of every run to the bit, step by step, and the last ones as summary', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const expected = await randomRuns(store, defaults, seed);
    const read = exported({ runs: store.listRuns() });
    for (const [i, { run, series }] of expected.entries()) {
      const { rows, summary, path } = read[i];
      expect(path, `seed ${seed}`).toMatch(
        new RegExp(`^offline-run-\\d{8}_\\d{6}-${run.id}/run-${run.id}\\.wandb$`, 'u'),
      );
      const start = (run.startedAt ?? run.createdAt) / 1000;
      const steps = rows.map(({ step }) => step);
      expect(steps, `seed ${seed}`).toEqual(
        [...new Set([...series.values()].flatMap(({ step }) => [...step]))].sort((a, b) => a - b),
      );
      for (const [name, { step, value }] of series) {
        const points = rows.filter(({ items }) => items.has(name));
        expect(points.map((row) => row.step)).toEqual([...step]);
        // Object.is tells −0 from 0.
        const wrong = points.findIndex(({ items }, at) => !Object.is(Number(items.get(name)), value[at]));
        expect(wrong, `${name}, seed ${seed}`).toBe(-1);
        expect(Object.is(Number(summary.get(name)), value.at(-1))).toBe(true);
      }
      let seconds = 0;
      for (const { step, items } of rows) {
        seconds = Number(items.get('seconds') ?? seconds);
        expect([items.get('_step'), items.get('_runtime'), items.get('_timestamp')].map(Number)).toEqual([
          step,
          seconds,
          start + seconds,
        ]);
      }
      expect(summary.get('_step')).toBe(rows.length === 0 ? undefined : String(steps.at(-1)));
    }
  });

  it('tells of each run what the lab knows, and the seeds of a setting are a group', async () => {
    const expected = await randomRuns(store, defaults, 6);
    const [done, failed, stopped] = expected.map(({ run }) => run.id);
    await store.appendEvent({ runId: done, kind: 'log', message: 'härd\nzwei' });
    await store.appendEvent({ runId: done, kind: 'warning', message: 'hot' });
    store.updateRun(done, { summary: { 'val/best_loss': 0.25, 'val/loss': null } });
    store.setRunState(done, 'finished', { reason: 'stop.steps reached' });
    store.setRunState(failed, 'failed', { reason: 'diverged' });
    store.setRunState(stopped, 'stopped', { reason: 'interrupted', cause: 'interrupted' });
    const runs = store.listRuns();
    const read = exported({ runs, metrics: ['val/loss'] });
    const [first, second, third, running, queued] = read;
    expect(read.map(({ exit }) => exit)).toEqual([0, 1, 255, undefined, undefined]);
    expect(first.lines).toEqual(['1 härd\nzwei\n', '0 hot\n']);
    expect(text(first.run, 1)).toBe(done);
    expect([6, 7, 8, 9].map((field) => text(first.run, field))).toEqual([
      expect.stringMatching(/^lr=0\.001 ζ\/"名" · [0-9a-f]{8}$/u),
      'train',
      'lr=0.001 ζ/"名" seed=1',
      'first line\nsecond “line” 🙂',
    ]);
    expect(first.run.get(10)!.map((tag) => Buffer.from(tag as Uint8Array).toString())).toEqual(['b c', 'α']);
    expect(text(second.run, 6)).toBe(text(first.run, 6));
    expect(text(third.run, 6)).not.toBe(text(first.run, 6));
    expect(text(running.run, 6)).toBe(text(third.run, 6));
    const started = message(first.run, 17);
    expect(integer(started, 1) * 1000 + integer(started, 2) / 1e6).toBe(runs[0].startedAt);
    expect(Object.fromEntries(third.config)).toMatchObject({
      seed: 1,
      optimizer: { lr: 0.01 },
      model: { bias: true },
      data: { separator: '\n—' },
      sweeplab: { run: stopped, sweep: { name: 'Über sweep: 1/2' }, state: 'stopped', cause: 'interrupted' },
    });
    // A server refuses a run of a sweep that it did not make.
    expect(first.run.has(12)).toBe(false);
    expect([...first.rows[0].items.keys()].sort()).toEqual(['_runtime', '_step', '_timestamp', 'val/loss']);
    expect([...first.summary.keys()].sort()).toEqual(['_runtime', '_step', '_timestamp', '_wandb>runtime', 'val/loss']);
    const [all] = exported({ runs: runs.slice(0, 1) });
    expect(all.summary.get('val/best_loss')).toBe('0.25');
    expect(all.summary.has('train/loss')).toBe(true);
    expect(first.details).toMatchObject({
      id: done,
      sweep: 'Über sweep: 1/2',
      config: { 'model.depth': defaults['model.depth'] },
    });
    expect(Object.keys(first.details)).not.toContain('checkpoint');
    expect(queued.rows).toEqual([]);
  });

  it('gives each row a whole step of its own, later than the one before (would catch rows that a server throws away)', async () => {
    const { id } = store.createRun({ name: 'r', config: {}, seed: 1, settingKey: 'a' });
    const steps = Float64Array.of(0.25, 0.5, 2, 2.4, 9);
    await store.appendMetrics(id, [
      { metric: 'm', steps, values: steps },
      { metric: '_runtime', steps, values: steps.map(() => 77) },
    ]);
    const [{ rows }] = exported({ runs: store.listRuns() });
    expect(rows.map(({ step }) => step)).toEqual([0, 1, 2, 3, 9]);
    expect(rows.map(({ items }) => Number(items.get('m')))).toEqual([...steps]);
    expect(rows.map(({ items }) => items.get('_runtime'))).toEqual(['0', '0', '0', '0', '0']);
  });

  it('parts settings by their sections, and never loses one', () => {
    const config = { a: 1, 'a.b': 2, 'c.d': 3, 'c.e.f': 'x', '__proto__.x': 4, 'toString.y': 5, '.z': true, lr: 6 };
    expect(nested(config, Object.keys(config))).toEqual({
      a: 1,
      'a.b': 2,
      c: { d: 3, e: { f: 'x' } },
      ['__proto__.x']: 4,
      'toString.y': 5,
      '.z': true,
      lr: 6,
    });
  });
});
