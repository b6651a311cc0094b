import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryName } from '../../main/files/atomic.ts';
import { loadWorkshop, openLab } from '../../main/host/lab.ts';

it('what a killed removal of runs had set aside, or a killed check had begun, goes with the next start, and nothing else does (would catch lost checkpoints)', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-purged-'));
  try {
    const workshop = await loadWorkshop({ home });
    const { cache, checkpoints } = workshop.paths;
    // Of a check that was killed, and of one that goes on beside the lab.
    const [check, beside] = [1 << 30, process.pid].map((pid) =>
      temporaryName(join(cache, 'preflight')).replace(/(?<=\.tmp-)\d+/u, String(pid)),
    );
    for (const folder of [check!, beside!]) mkdirSync(folder, { recursive: true });
    const aside = temporaryName(join(checkpoints, '01ABC'));
    for (const folder of [aside, join(checkpoints, '01DEF')]) {
      mkdirSync(join(folder, 'last-000000001-1'), { recursive: true });
      writeFileSync(join(folder, 'last-000000001-1', 'weights.safetensors'), 'x');
    }
    using lab = await openLab(workshop, { write: true });
    expect([aside, check!, beside!].map((folder) => existsSync(folder))).toEqual([false, false, true]);
    expect(existsSync(join(lab.paths.checkpoints, '01DEF', 'last-000000001-1', 'weights.safetensors'))).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
