import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { forgetProcess, noteProcess } from '../../main/host/leftovers.ts';

it('an engine that ends in a data folder that is gone ends nobody else (would catch a lab that dies of a replaced folder)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-leftovers-'));
  try {
    const notes = join(folder, 'home', 'engines');
    mkdirSync(join(folder, 'home'));
    noteProcess(notes, process.pid, 'r');
    expect(existsSync(join(notes, `${process.pid}.json`))).toBe(true);
    rmSync(join(folder, 'home'), { recursive: true });
    forgetProcess(notes, process.pid);
    // Nor is the data folder made again for the note of the next one.
    expect(() => noteProcess(notes, process.pid, 'r')).toThrow('ENOENT');
    expect(existsSync(join(folder, 'home'))).toBe(false);
    writeFileSync(join(folder, 'home'), 'a file');
    forgetProcess(notes, process.pid);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
