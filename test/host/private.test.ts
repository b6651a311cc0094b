import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadWorkshop, openLab } from '../../main/host/lab.ts';
import { writeExport } from '../../main/lab/exchange/file.ts';

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-private-'));
  // As on most machines, where new files are for everybody to read.
  umask = process.umask(0o022);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe.skipIf(process.platform === 'win32')('a lab is for its user alone', () => {
  it('the folder, the database and what stands beside it (would catch notes that others of the machine read)', async () => {
    const home = join(folder, 'home');
    using lab = await openLab(await loadWorkshop({ home }), { write: true });
    lab.store.createSweep({ name: 's', spec: {}, yaml: '' }, []);
    expect(modeOf(home)).toBe('700');
    const files = readdirSync(home).filter((name) => name.startsWith('runs.sqlite'));
    expect(files).toEqual(expect.arrayContaining(['runs.sqlite', 'runs.sqlite-wal', 'runs.sqlite-shm']));
    for (const name of files) expect([name, modeOf(join(home, name))]).toEqual([name, '600']);
  });

  it('closes what an earlier version left open', async () => {
    const home = join(folder, 'home');
    const workshop = await loadWorkshop({ home });
    (await openLab(workshop, { write: true })).close();
    chmodSync(home, 0o755);
    for (const name of readdirSync(home)) chmodSync(join(home, name), 0o644);
    using lab = await openLab(workshop, { write: true });
    expect([modeOf(home), modeOf(lab.store.path)]).toEqual(['700', '600']);
  });

  it('leaves the rights of a folder that holds other things (would catch a lab that locks a shared folder)', async () => {
    const home = join(folder, 'shared');
    mkdirSync(home, { mode: 0o755 });
    writeFileSync(join(home, 'papers.txt'), 'x');
    using lab = await openLab(await loadWorkshop({ home }), { write: true });
    expect([modeOf(home), modeOf(join(home, 'papers.txt')), modeOf(lab.store.path)]).toEqual(['755', '644', '600']);
  });

  it('exports too', async () => {
    const path = join(folder, 'runs.csv');
    await writeExport(path, ['a\n', '1\n']);
    expect(modeOf(path)).toBe('600');
  });
});
