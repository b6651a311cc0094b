import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSweepFile, sweepFilesIn } from '../../main/app/openFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sweep files that the system asks to open', () => {
  it('are arguments with their ending, from where the command was given', () => {
    const args = ['/opt/app', '--inspect=x.sweeplab', 'a.sweeplab', '/b/C.SWEEPLAB', 'runs.csv', '.'];
    expect(sweepFilesIn(args, '/home/a')).toEqual(['/home/a/a.sweeplab', '/b/C.SWEEPLAB']);
  });

  it('come with their text, in the encoding that they say', async () => {
    const path = join(folder, 'ä.sweeplab');
    writeFileSync(path, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('seeds: 3\n', 'utf16le')]));
    expect(await readSweepFile(path)).toEqual({ type: 'sweeplab:open', name: 'ä.sweeplab', text: 'seeds: 3\n' });
  });

  it('are refused in words where they cannot be read (would catch a window that hangs over a disk image)', async () => {
    const long = join(folder, 'long.sweeplab');
    writeFileSync(long, Buffer.alloc(1_000_001, 0x61));
    await expect(readSweepFile(long)).rejects.toThrow(/more than a sweep file may have \(1 MB\)/u);
    await expect(readSweepFile(join(folder, 'none.sweeplab'))).rejects.toThrow(/it is not there/u);
    await expect(readSweepFile(folder)).rejects.toThrow(/cannot be read/u);
    const bytes = join(folder, 'bytes.sweeplab');
    writeFileSync(bytes, Buffer.from([0x80, 0x81, 0xfe, 0xff]));
    await expect(readSweepFile(bytes)).rejects.toThrow(/cannot be read/u);
  });
});
