import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CheckpointStore, OPTIMIZER, readCheckpoint, WEIGHTS } from '../../../main/engine/train/checkpoint.ts';
import type { CheckpointFiles } from '../../../main/engine/train/checkpoint.ts';
import { SafetensorsFile } from '../../../main/engine/train/safetensors.ts';
import { temporaryFolder } from './helpers.ts';

interface State {
  note: string;
}

const tensor = (name: string, value: number) => ({
  name,
  shape: [3],
  read: (_from: number, into: Float32Array) => void into.fill(value),
});
const content = (step: number, note = '') => ({
  kind: 'last' as const,
  step,
  weights: [tensor('w', step)],
  optimizer: [tensor('w:first', -step)],
  state: { note },
});

async function store(files?: CheckpointFiles) {
  const root = join(await temporaryFolder(), 'run');
  const made = new CheckpointStore<State>(root, files);
  await made.prepare();
  return made;
}

async function weight(path: string): Promise<number> {
  const file = await SafetensorsFile.open(join(path, WEIGHTS));
  const [value] = await file.read('w', [3]);
  await file.close();
  return value!;
}

/** Fails with ENOSPC once so many bytes were written; `bytes` can be raised. */
function fullDisk(disk: { bytes: number }): CheckpointFiles {
  return {
    async open(path, flags) {
      const file = await open(path, flags);
      return {
        write: ((data: Uint8Array, offset: number, length: number) => {
          disk.bytes -= length;
          if (disk.bytes < 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
          return file.write(data, offset, length);
        }) as typeof file.write,
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
}

describe('a folder that goes while its run trains', () => {
  test('is not made again by the next save (would catch a removed data folder that comes back, with a checkpoint of nothing)', async () => {
    const s = await store();
    await s.save(content(10));
    await rm(dirname(s.root), { recursive: true });
    await expect(s.save(content(20))).rejects.toThrow(`${s.root}, was removed or moved away while it trained`);
    await expect(stat(dirname(s.root))).rejects.toThrow('ENOENT');
  });
  test('is noticed where a file or another folder stands in its place', async () => {
    const s = await store();
    await rm(s.root, { recursive: true });
    await writeFile(s.root, 'a file');
    await expect(s.save(content(10))).rejects.toThrow('was removed or moved away');
    await rm(s.root);
    const other = await store();
    await rename(other.root, `${other.root}-kept`);
    await mkdir(other.root);
    await expect(other.save(content(10))).rejects.toThrow('was replaced by another while it trained');
    expect(await readdir(other.root)).toEqual([]);
  });
});

describe('checkpoints', () => {
  test('the newest is found with its state and tensors; the one before is gone', async () => {
    const s = await store();
    await s.save(content(5));
    const saved = await s.save(content(12, 'twelve'));
    expect(await readdir(s.root)).toEqual(['last-000000012-1']);
    const { checkpoint, problems } = await s.latest('last');
    expect(problems).toEqual([]);
    expect(checkpoint).toEqual(saved);
    expect(checkpoint!.state.note).toBe('twelve');
    expect(await weight(checkpoint!.path)).toBe(12);
  });

  test('the same step can be saved again: the later one wins (catches a rename onto a full folder)', async () => {
    const s = await store();
    await s.save(content(5, 'first'));
    await s.save(content(5, 'second'));
    expect((await s.latest('last')).checkpoint!.state.note).toBe('second');
    expect(await readdir(s.root)).toHaveLength(1);
  });

  test('best and last do not replace each other, and share the weights of one step on disk', async () => {
    const s = await store();
    const best = await s.save({ ...content(4), kind: 'best', optimizer: undefined });
    const last = await s.save({ ...content(4), weights: best });
    await s.save(content(9));
    expect((await s.latest('best')).checkpoint!.step).toBe(4);
    expect((await s.latest('last')).checkpoint!.step).toBe(9);
    expect(last.files[WEIGHTS]).toEqual(best.files[WEIGHTS]);
    expect(await weight(best.path)).toBe(4);
    expect(await readdir(best.path)).not.toContain(OPTIMIZER);
  });

  test.each([
    ['a missing file', async (path: string) => writeFile(join(path, 'checkpoint.json'), '')],
    ['a file cut short', async (path: string) => truncate(join(path, OPTIMIZER), 40)],
    [
      'one flipped bit of a weight',
      async (path: string) => {
        const bytes = await readFile(join(path, WEIGHTS));
        bytes[bytes.length - 1]! ^= 1;
        await writeFile(join(path, WEIGHTS), bytes);
      },
    ],
    [
      'a changed state',
      async (path: string) => {
        const text = await readFile(join(path, 'checkpoint.json'), 'utf8');
        await writeFile(join(path, 'checkpoint.json'), text.replace('"step":20', '"step":21'));
      },
    ],
  ])('%s is noticed, named, and the previous checkpoint is used', async (_what, damage) => {
    const s = await store();
    // Two complete ones, as after a crash between the rename and the removal of the old one.
    const other = new CheckpointStore<State>(await temporaryFolder());
    await s.save(content(10));
    const newer = await other.save(content(20));
    const moved = join(s.root, 'last-000000020-1');
    await rename(newer.path, moved);
    expect((await s.latest('last')).checkpoint!.step).toBe(20);
    await damage(moved);
    const { checkpoint, problems } = await s.latest('last');
    expect(checkpoint!.step).toBe(10);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('last-000000020-1');
    await expect(readCheckpoint(moved)).rejects.toThrow();
    await s.save(content(15));
    expect(await readdir(s.root)).toEqual(['last-000000015-1']);
  });

  test('a full disk leaves the old checkpoint untouched and nothing behind, and a later save works', async () => {
    const disk = { bytes: 1e6 };
    const s = await store(fullDisk(disk));
    await s.save(content(1));
    for (const bytes of [0, 100, 300, 600]) {
      disk.bytes = bytes;
      await expect(s.save(content(2))).rejects.toThrow('The disk is full: ');
      expect(await readdir(s.root)).toEqual(['last-000000001-1']);
      expect(await weight((await s.latest('last')).checkpoint!.path)).toBe(1);
    }
    disk.bytes = 1e6;
    await s.save(content(3));
    expect((await s.latest('last')).checkpoint!.step).toBe(3);
  });

  test('what an interrupted write left is never taken for a checkpoint and is cleared at the next start', async () => {
    const s = await store();
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(s.root, 'temporary-last-000000003-1'));
    await writeFile(join(s.root, 'temporary-last-000000003-1', WEIGHTS), 'half');
    expect((await s.latest('last')).checkpoint).toBeUndefined();
    await s.prepare();
    expect(await readdir(s.root)).toEqual([]);
    await s.save(content(3));
    await s.clear();
    expect(await readdir(s.root)).toEqual([]);
    expect((await stat(s.root)).isDirectory()).toBe(true);
  });
});
