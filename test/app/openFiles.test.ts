import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
    await expect(readSweepFile(join(folder, 'none.sweeplab'))).rejects.toThrow(/there is no such file/u);
    await expect(readSweepFile(folder)).rejects.toThrow(/cannot be read: it is a folder\.$/u);
    await expect(readSweepFile(join(long, 'in.sweeplab'))).rejects.toThrow(/there is no such file/u);
    await expect(readSweepFile(join(folder, 'a'.repeat(5000)))).rejects.toThrow(/its name is too long/u);
    await expect(readSweepFile(join(folder, 'a\u202Eb.sweeplab'))).rejects.toThrow(/a<U\+202E>b/u);
    const bytes = join(folder, 'bytes.sweeplab');
    writeFileSync(bytes, Buffer.from([0x80, 0x81, 0xfe, 0xff]));
    await expect(readSweepFile(bytes)).rejects.toThrow(/cannot be read/u);
  });

  it.skipIf(process.platform === 'win32')(
    'are refused where they are pipes and devices (would catch an app that waits for ever)',
    async () => {
      const pipe = join(folder, 'pipe.sweeplab');
      execFileSync('mkfifo', [pipe]);
      await expect(readSweepFile(pipe)).rejects.toThrow(/no file but a pipe or a device/u);
      const endless = join(folder, 'endless.sweeplab');
      symlinkSync('/dev/zero', endless);
      await expect(readSweepFile(endless)).rejects.toThrow(/no file but a pipe or a device/u);
      const loop = join(folder, 'loop.sweeplab');
      symlinkSync(loop, loop);
      await expect(readSweepFile(loop)).rejects.toThrow(/a link that leads nowhere/u);
    },
  );
});
