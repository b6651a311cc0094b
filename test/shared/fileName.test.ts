import { describe, expect, it } from 'vitest';
import { fileName } from '../../preload/shared/fileName.ts';

describe('names of files', () => {
  it.each([
    ['val/loss.svg', 'val-loss.svg'],
    ['warm-up × regime: 3 seeds.csv', 'warm-up-regime-3-seeds.csv'],
    ['learning rate α.yaml', 'learning-rate-α.yaml'],
    ['../../etc/passwd', 'etc-passwd'],
    ['C:\\Users\\a.csv', 'C-Users-a.csv'],
    ['.bashrc', 'sweeplab.bashrc'],
    ['CON.csv', 'sweeplab-CON.csv'],
    ['com1.tar.csv', 'sweeplab-com1.tar.csv'],
    ['.csv', 'sweeplab.csv'],
    ['///', 'sweeplab'],
    ['', 'sweeplab'],
    ['a\u0000b\nc.png', 'a-b-c.png'],
    ['0.1.csv', '0.1.csv'],
    ['Cafe\u0301.md', 'Café.md'],
  ])('%j becomes %j', (text, name) => expect(fileName(text)).toBe(name));

  it('stay short, and keep their ending (would catch a name that a disk refuses)', () => {
    const long = fileName(`${'𝛼x'.repeat(200)}.csv`);
    expect([...long].length).toBeLessThanOrEqual(120);
    expect(long).toMatch(/\.csv$/u);
    expect(long.isWellFormed()).toBe(true);
  });

  it('are their own (would catch a name that changes when it is saved again)', () => {
    for (const text of ['val/loss.svg', 'CON.csv', '.x', 'a b', 'é'.repeat(300)])
      expect(fileName(fileName(text)), text).toBe(fileName(text));
  });
});
