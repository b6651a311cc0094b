import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeHome, temporaryHome, tiny } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const GUIDE = new URL('../../resources/guide/examples.md', import.meta.url);
const home = temporaryHome();
beforeAll(() => {
  // Exactly the file that the guide shows.
  const [, source] = /```ts\n([\s\S]*?)```/u.exec(readFileSync(GUIDE, 'utf8'))!;
  mkdirSync(join(home, 'plugins'));
  writeFileSync(join(home, 'plugins', 'ngram.ts'), source);
});
afterAll(() => removeHome(home));

interface Answer {
  runs: {
    id: string;
    state: string;
    parameters: number;
    settings: Record<string, unknown>;
    summary: Record<string, number>;
  }[];
}

describe('the model of the guide', () => {
  it('is swept like a built-in setting, trains, and can be sampled from (would catch a guide that does not work)', async () => {
    const flags = tiny({
      'model.kind': 'ngram',
      'model.ngram': ['1', '3'],
      'stop.steps': '60',
      'optimizer.lr': '1e-2',
    });
    const { runs } = await jsonInside<Answer>(home, ['sweep', ...flags]);
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished']);
    // One embedding of 257 × 16 and a matrix of 16 × 16·n.
    expect(runs.map(({ parameters }) => parameters)).toEqual([257 * 16 + 256, 257 * 16 + 3 * 256]);
    const start = Math.log(257);
    for (const { summary } of runs) expect(summary['val/loss']).toBeLessThan(start - 1);
    const { samples } = await jsonInside<{ samples: { tokens: number }[] }>(home, [
      'sample',
      runs[1].id,
      '--tokens',
      '5',
    ]);
    expect(samples[0].tokens).toBe(5);
  });

  it('is part of the help, and its ranges are checked', async () => {
    const help = await inside(home, ['train', '--help']);
    expect(help.stdout).toContain('--model.ngram');
    const wrong = await inside(home, ['train', '--model.kind', 'ngram', '--model.ngram', '17']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('nearest: 16') });
  });

  it('that is broken stops commands with its name, but not the doctor', async () => {
    const other = temporaryHome();
    try {
      mkdirSync(join(other, 'plugins'));
      writeFileSync(join(other, 'plugins', 'bad.ts'), 'throw new Error("no good");\n');
      const trained = await inside(other, ['train', ...tiny()]);
      expect(trained).toMatchObject({ code: 2, stderr: expect.stringMatching(/bad\.ts.*no good/u) });
      const { healthy, findings } = await jsonInside<{ healthy: boolean; findings: { name: string; state: string }[] }>(
        other,
        ['doctor'],
      );
      expect(healthy).toBe(false);
      expect(findings.find(({ name }) => name === 'Plug-ins')!.state).toBe('problem');
    } finally {
      removeHome(other);
    }
  });

  it('that is named must be there, whatever the command (would catch a doctor that finds nothing wrong)', async () => {
    const other = temporaryHome();
    try {
      const missing = join(other, 'not-there');
      const said = `plug-in ${missing}: there is no such file or folder`;
      const named = ['--plugin', missing];
      const examined = await inside(other, ['doctor', ...named]);
      expect(examined).toMatchObject({ code: 1, stdout: expect.stringContaining(said) });
      const refused = await inside(other, ['fit', '--recipe', 'quick', ...named]);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
      // Looking at what is there goes on.
      const listed = await inside(other, ['data', 'list', ...named]);
      expect(listed).toMatchObject({ code: 0, stderr: expect.stringContaining(`${said}. All plug-ins are left out`) });
      mkdirSync(missing);
      writeFileSync(join(missing, 'mine.ts'), 'export default () => ({ name: "mine" });\n');
      const found = await inside(other, ['doctor', ...named]);
      expect(found.stdout).toMatch(/Plug-ins +mine\n/u);
    } finally {
      removeHome(other);
    }
  });

  it('whose model throws while it is built is named, as bad input (would catch a failure of Sweeplab for a mistake of its author)', async () => {
    const other = temporaryHome();
    try {
      mkdirSync(join(other, 'plugins'));
      writeFileSync(
        join(other, 'plugins', 'odd.ts'),
        `export default (sweeplab) => ({
          name: 'odd',
          kinds: [
            sweeplab.defineModel({ name: 'odd', help: 'Throws.', settings: [], build: () => { throw new Error('widths must be odd'); } }),
            sweeplab.defineModel({ name: 'lost', help: 'Throws.', settings: [], build: (m) => m.nothing.here }),
          ],
        });\n`,
      );
      for (const [kind, said] of [
        ['odd', /plug-in \S+odd\.ts: model odd, build: widths must be odd/u],
        ['lost', /plug-in \S+odd\.ts: model lost, build: Cannot read properties of undefined/u],
      ] as const)
        for (const command of ['train', 'sweep', 'fit']) {
          const told = await inside(other, [command, ...tiny({ 'model.kind': kind })]);
          expect([command, told.code, told.stderr]).toEqual([command, 2, expect.stringMatching(said)]);
        }
      expect(await jsonInside<unknown[]>(other, ['runs', 'ls'])).toEqual([]);
    } finally {
      removeHome(other);
    }
  });
});
