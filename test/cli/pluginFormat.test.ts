/** A format of a file of the user's own: in the list, written, refused where an option has no effect, and no burden for the engine. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeHome, temporaryHome, tiny } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const PLUGIN = `
export default (sweeplab) => ({
  name: 'json-lines',
  kinds: [
    sweeplab.defineExchange({
      name: 'jsonl',
      label: 'JSON, one line per run',
      help: 'Settings and curves of a run in one object.',
      extensions: ['jsonl', 'ndjson'],
      options: ['metrics'],
      *write({ runs, settings, metrics, metricNames, read }) {
        for (const { id, config } of runs) {
          const chosen = Object.fromEntries(settings.map((name) => [name, config[name]]));
          const names = metricNames(id).filter((name) => metrics?.includes(name) ?? true);
          const curves = Object.fromEntries(names.map((name) => [name, [...read(id, name).value]]));
          yield JSON.stringify({ id, ...chosen, curves }) + '\\n';
        }
      },
    }),
  ],
});
`;
const home = temporaryHome();
beforeAll(() => {
  mkdirSync(join(home, 'plugins'));
  writeFileSync(join(home, 'plugins', 'jsonLines.ts'), PLUGIN);
});
afterAll(() => removeHome(home));

interface Line {
  readonly id: string;
  readonly seed: number;
  readonly curves: Readonly<Record<string, readonly number[]>>;
}
const lines = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('a format of a plug-in', () => {
  it('writes what was trained beside it (would catch a file that the engine cannot load, or a list with names by hand)', async () => {
    const { runs } = await jsonInside<{ runs: { id: string; summary: Record<string, number> }[] }>(home, [
      'sweep',
      ...tiny({ 'stop.steps': '3' }),
      '--seeds',
      '2',
    ]);
    const found = lines((await inside(home, ['export', '--format', 'jsonl'])).stdout);
    expect(found.map(({ id, seed }) => [id, seed])).toEqual([
      [runs[0].id, 1],
      [runs[1].id, 2],
    ]);
    for (const [i, { curves }] of found.entries()) expect(curves['val/loss'].at(-1)).toBe(runs[i].summary['val/loss']);

    // The ending says which format is meant.
    const out = join(home, 'runs.ndjson');
    const told = await jsonInside<{ format: string }>(home, ['export', '--out', out, '--metric', 'train/loss']);
    expect(told.format).toBe('jsonl');
    expect(lines(readFileSync(out, 'utf8')).map(({ curves }) => Object.keys(curves))).toEqual([
      ['train/loss'],
      ['train/loss'],
    ]);
  });

  it('stands in the help and refuses what has no effect, writing nothing', async () => {
    const help = await inside(home, ['export', '--help']);
    expect(help.stdout).toMatch(/jsonl +JSON, one line per run \(\.jsonl, \.ndjson; with --metric\)/u);
    const exact = await inside(home, ['export', '--format', 'jsonl', '--exact']);
    expect(exact).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--format csv-long') });
    const append = await inside(home, ['export', '--out', join(home, 'runs.ndjson'), '--append']);
    expect(append).toMatchObject({ code: 2, stderr: expect.stringContaining('csv-long or csv-wide') });
  });

  it.each([
    ['a family that nobody knows', `{ family: 'exchanges', name: 'jsonl', help: 'x' }`, /odd\.ts.*"exchanges"/u],
    [
      'a name that is taken',
      `s.defineExchange({ name: 'csv-long', label: 'x', help: 'x', extensions: ['x'], write: () => [] })`,
      /odd\.ts.*csv-long is already declared/u,
    ],
    ['a function that is not there', `s.defineExport({ name: 'mine' })`, /odd\.ts.*defineExport/u],
  ])('of %s is refused with file and name', async (_, kinds, said) => {
    const other = temporaryHome();
    mkdirSync(join(other, 'plugins'));
    writeFileSync(join(other, 'plugins', 'odd.ts'), `export default (s) => ({ name: 'odd', kinds: [${kinds}] });`);
    try {
      const refused = await inside(other, ['train', ...tiny()]);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(said) });
    } finally {
      removeHome(other);
    }
  });
});
