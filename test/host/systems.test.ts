/** What is done otherwise on other systems than this one, as functions of the system. */
import { describe, expect, it } from 'vitest';
import { findNode } from '../../main/app/nodeBinary.ts';
import { notBuilt } from '../../main/engine/native/notBuilt.js';
import { endingOf } from '../../main/host/processGroup.ts';

describe('ending a program with all that it has started', () => {
  it('is a signal to its group (would catch one that reaches the first process alone)', () => {
    for (const platform of ['linux', 'darwin'] as const) {
      expect(endingOf(41, 'ask', platform)).toEqual({ signal: 'SIGTERM', to: -41 });
      expect(endingOf(41, 'kill', platform)).toEqual({ signal: 'SIGKILL', to: -41 });
    }
  });
  it('is a command on Windows, which knows neither groups nor signals', () => {
    for (const how of ['ask', 'kill'] as const)
      expect(endingOf(41, how, 'win32')).toEqual({ command: ['taskkill', '/pid', '41', '/t', '/f'] });
  });
});

describe('an install without a compiler', () => {
  it('says that everything works without, and what mends it where something does', () => {
    for (const platform of ['linux', 'darwin', 'win32']) {
      const said = notBuilt('no compiler', platform);
      expect(said).toContain('no compiler');
      expect(said).toContain('TensorFlow.js executor');
      expect(said.includes('npm run build:native'), platform).toBe(platform !== 'win32');
      expect(said.includes('setup native --from'), platform).toBe(platform !== 'win32');
    }
    expect(notBuilt('x', 'darwin')).toContain('xcode-select --install');
    expect(notBuilt('x', 'win32')).toContain('WSL');
  });
});

describe('the Node of an installed app', () => {
  it.each([
    ['win32', 'x64', '/r/node.exe'],
    ['darwin', 'arm64', '/r/node'],
    ['linux', 'x64', '/r/node'],
  ])('lies in its resources: %s %s', (platform, arch, path) => {
    const there = new Set([path, `/r/lab/node_modules/node-${platform}-${arch}/bin/node`]);
    const found = findNode({
      env: {},
      platform,
      arch,
      root: '/r/lab',
      resources: '/r',
      exists: (each) => there.has(each),
    });
    expect(found).toBe(path);
  });
});
