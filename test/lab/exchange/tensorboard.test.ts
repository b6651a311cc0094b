/** TensorBoard's files read back by a reader of its own, written from the formats' descriptions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../main/lab/exchange/encodings/crc32c.ts';
import { masked, tfRecords } from '../../../main/lab/exchange/encodings/tfRecord.ts';
import { ProtoWriter } from '../../../main/lab/exchange/encodings/protobuf.ts';
import { exportFiles } from '../../../main/lab/exchange/exports.ts';
import { writeExportFolder } from '../../../main/lab/exchange/file.ts';
import { tensorboard } from '../../../main/lab/exchange/tensorboard.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { double, fieldsOf, float, integer, message, messages, text } from './readProto.ts';
import { crcOf } from './crcOf.ts';
import { randomRuns } from './randomRuns.ts';
import { storeInFolder } from './storeInFolder.ts';

const registry = builtInRegistry();
const { defaults } = registry;
let folder: string;
let store: Store;
storeInFolder((made) => ({ folder, store } = made));

/** CRC-32C by its definition. */
const slowCrc = crcOf(0x82f63b78);
const slowMask = (crc: number): number =>
  Number((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) + 0xa282ead8n) & 0xffffffffn);

function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 8, true)).toBe(slowMask(slowCrc(bytes.subarray(at, at + 8))));
    expect(view.getUint32(at + 12 + length, true)).toBe(slowMask(slowCrc(data)));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

interface ReadRun {
  readonly scalars: Map<string, { readonly step: number[]; readonly value: number[]; readonly time: number[] }>;
  /** Contents of the plug-in of hyperparameters by tag. */
  readonly hparams: Map<string, ReturnType<typeof fieldsOf>>;
}

function readRun(bytes: Uint8Array): ReadRun {
  const [first, ...events] = recordsOf(bytes).map(fieldsOf);
  expect(text(first, 3)).toBe('brain.Event:2');
  const scalars: ReadRun['scalars'] = new Map();
  const hparams: ReadRun['hparams'] = new Map();
  for (const event of events)
    for (const value of messages(message(event, 5), 1)) {
      const tag = text(value, 1);
      if (value.has(9)) {
        const plugin = message(message(value, 9), 1);
        expect(text(plugin, 1)).toBe('hparams');
        // A tensor of shape [0].
        expect(messages(message(message(value, 8), 2), 2)).toHaveLength(1);
        hparams.set(tag, message(plugin, 2));
        continue;
      }
      const series = scalars.get(tag) ?? { step: [], value: [], time: [] };
      scalars.set(tag, series);
      series.step.push(integer(event, 2));
      series.value.push(float(value, 2));
      series.time.push(double(event, 1));
    }
  return { scalars, hparams };
}

describe('the encodings', () => {
  it('agree with published check values (would catch a wrong polynomial, mask or byte order)', () => {
    const digits = new TextEncoder().encode('123456789');
    expect(crc32c(digits).toString(16)).toBe('e3069283');
    expect(masked(crc32c(digits)).toString(16)).toBe('c78ab0e5');
    const to = new ProtoWriter();
    to.double(1, 1);
    to.string(3, 'brain.Event:2');
    const first = to.finish();
    to.clear();
    to.double(1, 1);
    to.integer(2, 1);
    to.message(5, () =>
      to.message(1, () => {
        to.string(1, 'loss');
        to.float(2, 2.5);
      }),
    );
    expect(Buffer.concat([...tfRecords([first, to.written])]).toString('hex')).toBe(
      '1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a' +
        '1a00000000000000129bd82d09000000000000f03f10012a0d0a0b0a046c6f73731500002040269910bb',
    );
  });

  it('keep every integer, nested message and length (would catch a length that is one byte too short)', () => {
    const to = new ProtoWriter();
    const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 53 - 1)];
    for (const [i, value] of numbers.entries()) to.integer(i + 1, value);
    const sizes = [0, 1, 125, 126, 127, 128, 16_379, 16_384, 70_000];
    for (const size of sizes)
      to.message(100, () => to.message(2000, () => to.bytes(536_870_911, new Uint8Array(size).fill(size % 251))));
    to.string(101, 'x\u{1F642}é\ud800');
    const read = fieldsOf(to.written);
    expect(numbers.map((_, i) => integer(read, i + 1))).toEqual(numbers);
    expect(messages(read, 100).map((each) => message(each, 2000).get(536_870_911)![0])).toEqual(
      sizes.map((size) => new Uint8Array(size).fill(size % 251)),
    );
    expect(text(read, 101)).toBe('x\u{1F642}é\ufffd');
  });
});

describe('the folder for TensorBoard', () => {
  it('holds every point of every run in 32 bits, with its step and time, and checked sums', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const expected = await randomRuns(store, defaults, seed);
    const out = join(folder, 'board');
    const runs = store.listRuns();
    await writeExportFolder(out, exportFiles(store, registry, tensorboard, { runs }));
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files, `seed ${seed}`).toHaveLength(expected.length);
    for (const { run, series } of expected) {
      const [file] = files.filter(({ name }) => name.endsWith(`.sweeplab.0.${run.id}`));
      expect(file.name).toMatch(/^events\.out\.tfevents\.\d{10}\./u);
      const { scalars } = readRun(readFileSync(join(file.parentPath, file.name)));
      expect([...scalars.keys()].sort(), `seed ${seed}`).toEqual([...series.keys()].sort());
      const start = (run.startedAt ?? run.createdAt) / 1000;
      const clock = series.get('seconds');
      for (const [name, { step, value }] of series) {
        const found = scalars.get(name)!;
        expect(found.step).toEqual([...step]);
        expect(Float32Array.from(found.value), `${name}, seed ${seed}`).toEqual(Float32Array.from(value));
        // The clock as it stood at that step.
        for (const i of [0, step.length >> 1, step.length - 1]) {
          const at = clock!.step.findLastIndex((other) => other <= step[i]);
          expect(found.time[i]).toBe(start + (at < 0 ? 0 : clock!.value[at]));
        }
      }
    }
    const sweepFolders = readdirSync(out).sort();
    expect(sweepFolders).toHaveLength(2);
    expect(files.filter(({ parentPath }) => parentPath.split(sep).includes('Über-sweep-1-2'))).toHaveLength(4);
  });

  it('has typed hyperparameters and one group for the seeds of a setting (would catch seeds that count as settings)', async () => {
    const expected = await randomRuns(store, defaults, 5);
    const [done, failed] = expected;
    store.setRunState(done.run.id, 'finished', { endedAt: done.run.startedAt! + 2500 });
    store.setRunState(failed.run.id, 'failed', { reason: 'x' });
    const files = [...exportFiles(store, registry, tensorboard, { runs: store.listRuns(), metrics: ['val/loss'] })];
    const read = files.map(({ pieces }) => readRun(Buffer.concat([...pieces].map((piece) => Buffer.from(piece)))));
    const starts = read.map(({ hparams }) => message(hparams.get('_hparams_/session_start_info')!, 3));
    const groups = starts.map((start) => text(start, 4));
    expect(groups[0]).toMatch(/^lr=0\.001 ζ\/"名" · [0-9a-f]{8}$/u);
    expect([groups[1], groups[3]]).toEqual([groups[0], groups[2]]);
    expect(new Set(groups).size).toBe(3);
    const hparams = messages(starts[2], 1).map((entry) => [text(entry, 1), message(entry, 2)] as const);
    expect(hparams.map(([name]) => name).sort()).toEqual(['data.separator', 'model.bias', 'optimizer.lr']);
    const values = new Map(hparams);
    expect(text(values.get('data.separator')!, 3)).toBe('\n—');
    expect(integer(values.get('model.bias')!, 4)).toBe(1);
    expect(double(values.get('optimizer.lr')!, 2)).toBe(0.01);
    const ends = read.map(({ hparams: found }) => found.get('_hparams_/session_end_info'));
    // A queued run has not ended; one that trains says so.
    expect(ends.map((end) => end && integer(message(end, 4), 1))).toEqual([1, 2, 3, 3, undefined]);
    expect(double(message(ends[0]!, 4), 2)).toBe((done.run.startedAt! + 2500) / 1000);
    expect([...read[0].scalars.keys()]).toEqual(['val/loss']);
    expect(read[4].scalars.size).toBe(0);
  });
});
