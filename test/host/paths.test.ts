import { describe, expect, it } from 'vitest';
import { dataHome } from '../../main/host/paths.ts';
import { codeVersion, packageVersion } from '../../main/host/version.ts';

const linux = { env: {} as Record<string, string>, platform: 'linux' as const, userHome: '/home/x' };

describe('the data folder', () => {
  it.each([
    ['/a', { ...linux, env: { SWEEPLAB_HOME: '/b' } }, '/a'],
    [undefined, { ...linux, env: { SWEEPLAB_HOME: '/b', XDG_DATA_HOME: '/c' } }, '/b'],
    [undefined, { ...linux, env: { SWEEPLAB_HOME: '', XDG_DATA_HOME: '/c' } }, '/c/sweeplab'],
    [undefined, { ...linux, env: { XDG_DATA_HOME: 'relative' } }, '/home/x/.local/share/sweeplab'],
    [undefined, linux, '/home/x/.local/share/sweeplab'],
    [undefined, { ...linux, platform: 'darwin' as const }, '/home/x/Library/Application Support/sweeplab'],
    [undefined, { ...linux, platform: 'win32' as const, env: { LOCALAPPDATA: '/local' } }, '/local/sweeplab'],
    [undefined, { ...linux, platform: 'win32' as const }, '/home/x/AppData/Local/sweeplab'],
    ['~/data', linux, '/home/x/data'],
  ])('%s in %o is %s', (override, surroundings, expected) => {
    expect(dataHome(override, surroundings)).toBe(expected);
  });
});

describe('the version', () => {
  it('is that of the package, with the commit in a checkout', () => {
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/u);
    expect(codeVersion()).toMatch(/^\d+\.\d+\.\d+(\+[0-9a-f]{8})?$/u);
  });
});
