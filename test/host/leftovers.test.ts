import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { forgetEngine, noteEngine } from '../../main/host/leftovers.ts';

it('an engine that ends in a data folder that is gone ends nobody else (would catch a lab that dies of a replaced folder)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-leftovers-'));
  try {
    const notes = join(folder, 'home', 'engines');
    noteEngine(notes, process.pid, 'r');
    expect(existsSync(join(notes, `${process.pid}.json`))).toBe(true);
    rmSync(join(folder, 'home'), { recursive: true });
    forgetEngine(notes, process.pid);
    expect(existsSync(join(folder, 'home'))).toBe(false);
    writeFileSync(join(folder, 'home'), 'a file');
    forgetEngine(notes, process.pid);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
