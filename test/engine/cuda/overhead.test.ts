import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepOverhead, overheadOf, WHAT } from '../../../main/engine/executors/cuda/overhead.ts';
import { cardUse } from '../../../main/engine/executors/nvidia.ts';
import type { AskDriver } from '../../../main/engine/executors/nvidia.ts';
import { useDataFolder } from '../../../main/engine/executors/dataFolder.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-overhead-'));
  useDataFolder(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const MIB = 2 ** 20;
const at = { card: 'NVIDIA GeForce RTX 4090', driver: '550.54.14' };

describe('what is free on a card', () => {
  const answer = (apps: string | Error) =>
    (async (_, of = 'gpu') => {
      if (of === 'gpu')
        return '0, GPU-a, NVIDIA H100, 81559, 81000, 570.1, 9.0\n1, GPU-b, NVIDIA H200, 143771, 140000, 570.1, 9.0\n';
      if (apps instanceof Error) throw apps;
      return apps;
    }) satisfies AskDriver;

  it('comes with the programs on that card, where the driver says them (would count those of its neighbour)', async () => {
    expect(await cardUse(1, answer('GPU-a, 17\nGPU-b, 18\nGPU-b, 19\n'))).toMatchObject({
      name: 'NVIDIA H200',
      driver: '570.1',
      freeBytes: 140_000 * MIB,
      programs: 2,
    });
    expect(await cardUse(0, answer(''))).toMatchObject({ freeBytes: 81_000 * MIB, programs: 0 });
    expect(await cardUse(0, answer(new Error('not supported')))).toMatchObject({ programs: null });
    expect(await cardUse(2, answer(''))).toBeUndefined();
  });
});

describe('memory that a process takes beside its plan', () => {
  it('is kept for card, driver and libraries, the most that was seen (would catch a small run that promises too much)', () => {
    expect(overheadOf(at)).toBeUndefined();
    keepOverhead({ ...at, libraries: ['kernels a', 'cuBLASLt 13.1'], bytes: 500 * MIB });
    keepOverhead({ ...at, libraries: ['cuBLASLt 13.1', 'kernels a'], bytes: 450 * MIB });
    expect(overheadOf(at)).toEqual({
      bytes: 500 * MIB,
      basis: 'measured',
      what: `${WHAT}, measured on this card with driver 550.54.14`,
    });
    expect(readdirSync(join(home, 'cuda', 'overhead'))).toHaveLength(1);
    keepOverhead({ ...at, libraries: ['kernels a'], bytes: 300 * MIB });
    expect(overheadOf(at)!.bytes).toBe(500 * MIB);
    keepOverhead({ ...at, libraries: ['kernels b'], bytes: 700 * MIB });
    expect(overheadOf(at)!.bytes).toBe(700 * MIB);
  });

  it('of another driver is an estimate, and of another card says nothing', () => {
    keepOverhead({ ...at, libraries: [], bytes: 400 * MIB });
    expect(overheadOf({ ...at, driver: '580.1' })).toEqual({
      bytes: 400 * MIB,
      basis: 'estimated',
      what: `${WHAT}, measured on this card with driver 550.54.14`,
    });
    expect(overheadOf({ ...at, card: 'NVIDIA H200' })).toBeUndefined();
  });

  it('is not read from what somebody else wrote there, and its folder need not be writable', () => {
    keepOverhead({ ...at, libraries: [], bytes: 400 * MIB });
    const folder = join(home, 'cuda', 'overhead');
    writeFileSync(join(folder, 'a.json'), '{"card":"NVIDIA GeForce RTX 4090","driver":"550.54.14","bytes":"much"}');
    writeFileSync(join(folder, 'b.json'), '{"card":');
    writeFileSync(join(folder, 'c.json'), 'null');
    writeFileSync(join(folder, 'd.json'), '{"card":"NVIDIA GeForce RTX 4090","driver":"550.54.14","bytes":-5}');
    expect(overheadOf(at)!.bytes).toBe(400 * MIB);
    useDataFolder(join(folder, 'a.json'));
    keepOverhead({ ...at, libraries: [], bytes: 1 });
    expect(overheadOf(at)).toBeUndefined();
  });
});
