import { existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logSlope } from '../../main/lab/coordinates/coordinates.ts';
import { removeHome, sweeplab, temporaryHome } from './cli.ts';
import { inside } from './inside.ts';

const SMALL = ['--data.size', '30000', '--model.context', '16', '--model.depth', '1', '--device', 'tfjs-cpu'];
const WIDTHS = ['--model.width', '16', '32'];

function ownHome(): string {
  const home = temporaryHome();
  onTestFinished(() => removeHome(home));
  return home;
}

/** A file that is there already, and what tells later that it was replaced, not written over. */
function earlierFile(home: string, name: string): { readonly out: string; kept(): string } {
  const [out, other] = [join(home, name), join(home, `other-${name}`)];
  writeFileSync(out, 'of an earlier check');
  linkSync(out, other);
  return { out, kept: () => readFileSync(other, 'utf8') };
}

describe('sweeplab check coordinates', () => {
  it('measures every layer before and after each step, and writes the numbers down', async () => {
    const home = ownHome();
    const { out, kept } = earlierFile(home, 'coordinates.csv');
    const args = ['check', 'coordinates', ...SMALL, ...WIDTHS, '--steps', '2', '--out', out, '--json'];
    const { code, stdout, stderr } = await inside(home, args);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout) as {
      sizes: number[];
      layers: { layer: string; means: number[][]; slopes: number[] }[];
    };
    expect(found.sizes).toEqual([16, 32]);
    expect(found.layers.map(({ layer }) => layer)).toEqual(
      expect.arrayContaining(['embedding', 'block.0.attention.query', 'block.0.mlp.down', 'block.0', 'logits']),
    );
    for (const { means, slopes } of found.layers) {
      expect(means.map(({ length }) => length)).toEqual([3, 3]);
      slopes.forEach((slope, step) => {
        const own = Math.log(means[1]![step]! / means[0]![step]!) / Math.log(2);
        expect(slope).toBeCloseTo(own, 9);
      });
    }
    expect(readFileSync(out, 'utf8').trimEnd().split('\n')).toHaveLength(1 + found.layers.length * 2 * 3);
    expect(kept(), 'a full disk would have cut it off').toBe('of an earlier check');
  });

  it('varies nothing that the recipe’s own sweep varies (would catch means over several rates)', async () => {
    const args = ['check', 'coordinates', '--recipe', 'mup-width-small', ...SMALL, '--steps', '1', '--json'];
    const { code, stderr } = await inside(ownHome(), args);
    expect([code, stderr]).toEqual([2, expect.stringContaining('nothing grows')]);
  });

  it.each([
    [[], 'nothing grows; allowed: exactly one setting with several numbers'],
    [[...WIDTHS, '--model.depth', '1', '2'], 'model.depth and model.width grow'],
    [['--model.norm', 'layernorm', 'rmsnorm'], 'model.norm is layernorm, rmsnorm'],
    [[...WIDTHS, '--out', 'x.txt'], 'nearest: x.txt.csv'],
    [[...WIDTHS, '--steps', '0'], '--steps'],
  ])('refuses %o before anything is computed', async (args, part) => {
    const home = ownHome();
    const { code, stderr } = await inside(home, ['check', 'coordinates', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(part)]);
    expect(existsSync(join(home, 'cache'))).toBe(false);
  });

  it('fits the slope of a power exactly (would catch a line through the wrong logarithms)', () => {
    const sizes = [64, 100, 256, 500];
    expect(
      logSlope(
        sizes,
        sizes.map((size) => 3 * size ** -0.7),
      ),
    ).toBeCloseTo(-0.7, 12);
  });
});

describe('sweeplab check overfit and lr-range', () => {
  const TINY = [...SMALL, '--model.width', '32', '--model.heads', '2', '--batch.sequences', '2'];

  it('end with 0 where the batch was learned and with 1 where it was not, and say why', async () => {
    const home = ownHome();
    const learned = await sweeplab(home, ['check', 'overfit', ...TINY, '--optimizer.lr', '0.02', '--steps', '200']);
    expect([learned.code, learned.stdout]).toEqual([
      0,
      expect.stringMatching(/Learned: loss 0\.0\d+ after \d+ updates/u),
    ]);
    const not = await inside(home, ['check', 'overfit', ...TINY, '--optimizer.lr', '0.001', '--steps', '3', '--json']);
    expect(not.code).toBe(1);
    expect(JSON.parse(not.stdout)).toMatchObject({
      tokens: 32,
      hindered: expect.stringContaining('the loss') as string,
      unfinished: true,
    });
  });

  it('suggest rates, and write the numbers down', async () => {
    const home = ownHome();
    const { out, kept } = earlierFile(home, 'rates.csv');
    const args = ['check', 'lr-range', ...TINY, '--steps', '60', '--to', '10', '--out', out, '--json'];
    const { code, stdout, stderr } = await inside(home, args);
    expect(code, stderr).toBe(0);
    const { points, suggested } = JSON.parse(stdout) as { points: { lr: number }[]; suggested: [number, number] };
    expect(points[0]!.lr).toBeCloseTo(1e-5, 12);
    expect(suggested[0]).toBeLessThan(suggested[1]);
    expect(readFileSync(out, 'utf8').trimEnd().split('\n')).toHaveLength(1 + points.length);
    expect(kept(), 'a full disk would have cut it off').toBe('of an earlier check');
  });

  it.each([
    [['lr-range', '--from', '1'], '--from is 1; allowed: a rate below --to (1); nearest: 0.001'],
    [['lr-range', '--to', '-1'], '--to is "-1"; allowed: a number above 0'],
    [['lr-range', '--out', 'rates'], 'nearest: rates.csv'],
    [['overfit', '--steps', 'many'], '--steps is "many"; allowed: an integer at least 1'],
    [['overfit', '--model.width', '64', '128'], 'model.width'],
  ])('refuse %o before anything is computed', async (args, part) => {
    const home = ownHome();
    const { code, stderr } = await inside(home, ['check', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(part)]);
    expect(existsSync(join(home, 'cache'))).toBe(false);
  });
});

describe('sweeplab check batch-frontier, noise-scale and preflight', () => {
  const TINY = [...SMALL, '--model.width', '32', '--model.heads', '2', '--batch.sequences', '4'];

  it('measure, write down what they found, and say it', async () => {
    const home = ownHome();
    const picture = join(home, 'frontier.svg');
    const few = ['--steps', '1', '--longest', '1e-9', '--out', picture, '--json'];
    const frontier = await inside(home, ['check', 'batch-frontier', ...TINY, ...few]);
    expect(frontier.code, frontier.stderr).toBe(0);
    const { points, largest, stopped } = JSON.parse(frontier.stdout) as Record<string, unknown> & { points: unknown[] };
    expect([points.length, largest !== null, typeof stopped]).toEqual([1, true, 'string']);
    expect(readFileSync(picture, 'utf8')).toContain('</svg>');
    const { out: numbers, kept } = earlierFile(home, 'noise.csv');
    const noise = await inside(home, ['check', 'noise-scale', ...TINY, '--steps', '10', '--out', numbers]);
    expect([0, 1], noise.stderr).toContain(noise.code);
    expect(noise.stdout).toMatch(/Critical batch: about|do not tell/u);
    expect(readFileSync(numbers, 'utf8').trim().split(/\r?\n/u)).toHaveLength(11);
    expect(kept(), 'a full disk would have cut it off').toBe('of an earlier check');
    const preflight = await inside(home, ['check', 'preflight', ...TINY]);
    expect([preflight.code, preflight.stdout]).toEqual([0, expect.stringContaining('went well')]);
  });

  it.each([
    [['noise-scale', '--batch.sequences', '1'], 'batch.sequences is 1'],
    [['noise-scale', '--out', 'x.json'], 'nearest: x.json.csv'],
    [['batch-frontier', '--out', 'x.png'], 'allowed: a name that ends with .csv or .json or .svg'],
    [['batch-frontier', '--longest', '0'], '--longest'],
    [['preflight', '--preflight', 'maybe'], 'preflight is "maybe"'],
  ])('refuses %o before anything is computed', async ([name, ...rest], part) => {
    const home = ownHome();
    const { code, stderr } = await inside(home, ['check', name!, ...SMALL, ...rest]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(part)]);
  });
});
