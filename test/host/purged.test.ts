import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryName } from '../../main/files/atomic.ts';
import { loadWorkshop, openLab } from '../../main/host/lab.ts';

it('what a killed removal of runs had set aside goes with the next start, and nothing else does (would catch lost checkpoints)', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-purged-'));
  try {
    const workshop = await loadWorkshop({ home });
    const { checkpoints } = workshop.paths;
    const aside = temporaryName(join(checkpoints, '01ABC'));
    for (const folder of [aside, join(checkpoints, '01DEF')]) {
      mkdirSync(join(folder, 'last-000000001-1'), { recursive: true });
      writeFileSync(join(folder, 'last-000000001-1', 'weights.safetensors'), 'x');
    }
    using lab = await openLab(workshop, { write: true });
    expect(existsSync(aside)).toBe(false);
    expect(existsSync(join(lab.paths.checkpoints, '01DEF', 'last-000000001-1', 'weights.safetensors'))).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
