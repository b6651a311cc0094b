import { describe, expect, it } from 'vitest';
import { renameOver, renameOverSync } from '../../main/files/renaming.ts';

const held = (code: string): Error => Object.assign(new Error(code), { code });

describe.each([
  ['renaming', async (...given: Parameters<typeof renameOver>) => await renameOver(...given)],
  [
    'renaming at once',
    async (from: string, to: string, system: Parameters<typeof renameOver>[2]) =>
      renameOverSync(from, to, {
        platform: system!.platform,
        move: (a, b) => void system!.move!(a, b),
        wait: (ms) => void system!.wait!(ms),
      }),
  ],
] as const)('%s over a file', (_name, over) => {
  /** A file that is held for so many tries. */
  const tried = async (times: number, platform: NodeJS.Platform, code = 'EPERM') => {
    const seen = { moves: 0, waited: 0 };
    const move = (): Promise<void> => {
      seen.moves += 1;
      if (seen.moves <= times) throw held(code);
      return Promise.resolve();
    };
    const wait = (milliseconds: number): Promise<void> => {
      seen.waited += milliseconds;
      return Promise.resolve();
    };
    const error = await over('a', 'b', { platform, move, wait }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { ...seen, code: (error as NodeJS.ErrnoException | undefined)?.code };
  };

  it('waits on Windows while somebody holds it (would catch a save lost to a virus scanner)', async () => {
    for (const code of ['EPERM', 'EACCES', 'EBUSY'])
      expect(await tried(3, 'win32', code)).toEqual({ moves: 4, waited: 80, code: undefined });
  });

  it('gives up within a second, with what the system said', async () => {
    const { code, waited } = await tried(Infinity, 'win32');
    expect(code).toBe('EPERM');
    expect(waited).toBeLessThan(1000);
  });

  it('never waits elsewhere, nor for what waiting does not mend', async () => {
    for (const platform of ['linux', 'darwin'] as const)
      expect(await tried(1, platform)).toEqual({ moves: 1, waited: 0, code: 'EPERM' });
    expect(await tried(1, 'win32', 'ENOSPC')).toEqual({ moves: 1, waited: 0, code: 'ENOSPC' });
  });
});
