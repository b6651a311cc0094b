import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitCommand } from '../../../main/cli/commands/fit.ts';
import { Output } from '../../../main/cli/output.ts';
import { loadWorkshop } from '../../../main/host/lab.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sweeplab-fit-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Runs `sweeplab fit` in this process. */
async function fit(...args: string[]): Promise<{ code: number; out: string; error?: Error }> {
  let out = '';
  let code = 0;
  const sink = { write: (text: string) => (out += text) };
  const context = {
    output: new Output(args.includes('--json'), sink, { write: () => undefined }),
    workshop: await loadWorkshop({ home, withoutPlugins: true }),
    pluginError: undefined,
    exit: (status: number) => {
      code = status;
    },
  };
  const program = new Command('sweeplab').option('--json').exitOverride();
  program.addCommand(fitCommand(context).exitOverride());
  try {
    await program.parseAsync(['fit', ...args], { from: 'user' });
    return { code, out };
  } catch (error) {
    return { code: 2, out, error: error as Error };
  }
}

describe('sweeplab fit', () => {
  it('says that a run fits, with its bytes (would catch a report without its table)', async () => {
    const { code, out } = await fit('--recipe', 'quick', '--gpu', 'RTX 4090', '--batch.sequences', '16');
    expect(code).toBe(0);
    expect(out).toMatch(/^Fits: needs .* of 24\.0 GiB available on RTX 4090/u);
    for (const row of [
      'parameters',
      'gradients',
      'optimizer state',
      'blocks 0–',
      'peak',
      'largest micro-batch of 16',
      'speed',
    ])
      expect(out).toContain(row);
    expect(out).not.toMatch(/NaN|undefined|Infinity/u);
  });

  it('exits with 1 when it does not fit, and advises', async () => {
    const { code, out } = await fit('--recipe', 'gpt2-124m', '--gpu', '3060', '--batch.micro', '64');
    expect(code).toBe(1);
    expect(out).toMatch(/^Does not fit: .* too much\./u);
    expect(out).toMatch(/least change first:\n.*\n--batch\.micro 16 /u);
  });

  it('as JSON: one document with everything', async () => {
    const { code, out } = await fit('--json', '--recipe', 'quick', '--gpu', 'H200', '--price', '3.5');
    const report = JSON.parse(out);
    expect(code).toBe(0);
    expect(report.verdict.fit).toBe('fits');
    expect(report.plan.byCategory.parameters).toBe(report.plan.parameterCount * 4);
    expect(report.cost.how).toBe('3.5 per hour');
    expect(report.time.basis).toBe('estimated');
  });

  it('several values and sweep files check every setting', async () => {
    const flags = await fit(
      '--json',
      '--recipe',
      'quick',
      '--gpu',
      'T4',
      '--model.width',
      '64',
      '128',
      '--optimizer.lr',
      '0.1',
      '0.2',
    );
    const report = JSON.parse(flags.out);
    expect(report.groups.map(({ runs }: { runs: number }) => runs)).toEqual([2, 2]);
    expect(report.groups[0].plan.totalBytes).toBeGreaterThan(report.groups[1].plan.totalBytes);
    const file = join(home, 'sweep.yaml');
    await writeFile(file, 'method: grid\nrecipe: quick\nseeds: 3\nparameters:\n  model.depth: { values: [2, 4, 6] }\n');
    const { out, code } = await fit('--sweep', file, '--gpu', 'T4');
    expect(out).toMatch(/^9 runs with 3 different plans on T4: 9 fit\./u);
    expect(code).toBe(0);
  });

  it.each([
    [['--gpu', 'RTX 4099'], /"RTX 4099".*nearest names: RTX 4090/u],
    [['--gpu', 'T4', '--kilowatts', '1'], /needs both/u],
    [['--gpu', 'T4', '--price', 'cheap'], /--price is "cheap"; allowed: a number above 0/u],
    [['--gpu', 'T4', '--model.heads', '5', '--model.width', '128'], /model\.heads/u],
    [['--recipe', 'quik'], /nearest: quick/u],
    [['--sweep', 'missing.yaml'], /missing\.yaml cannot be read/u],
  ])('%j is bad input', async (args, message) => {
    const { error } = await fit(...args);
    expect(error?.message).toMatch(message);
    expect(['InputError', 'RecipeError']).toContain(error?.name);
  });
});
