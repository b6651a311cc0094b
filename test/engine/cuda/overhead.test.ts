import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepOverhead, overheadOf, WHAT } from '../../../main/engine/executors/cuda/overhead.ts';
import { useDataFolder } from '../../../main/engine/executors/dataFolder.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-overhead-'));
  useDataFolder(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const MIB = 2 ** 20;
const at = { card: 'NVIDIA GeForce RTX 4090', driver: '550.54.14' };

describe('memory that a process takes beside its plan', () => {
  it('is kept for card, driver and libraries, the most that was seen (would catch a small run that promises too much)', () => {
    expect(overheadOf(at)).toBeUndefined();
    keepOverhead({ ...at, libraries: ['kernels a', 'cuBLASLt 13.1'], bytes: 500 * MIB });
    keepOverhead({ ...at, libraries: ['cuBLASLt 13.1', 'kernels a'], bytes: 450 * MIB });
    expect(overheadOf(at)).toEqual({ bytes: 500 * MIB, basis: 'measured', what: WHAT });
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
      what: `${WHAT}, measured with driver 550.54.14`,
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
