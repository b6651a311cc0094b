import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { buildProgram, whyNoEmulator } from './emulator/build.ts';
import type { Flavour } from './emulator/build.ts';

const why = whyNoEmulator();

const BUGS = {
  none: 0,
  'a shared array that is too short': 1,
  'a read past the end of global memory': 2,
  'a missing barrier in a reduction': 3,
  'half a warp in a collective': 4,
  'rows past the end': 5,
  'one group of copies too many in flight': 6,
  'a missing barrier in the pipeline of copies': 7,
  'an unaligned store': 8,
  "a store into the next block's row": 9,
  'rows of shared memory in the same banks': 10,
} as const;
type Bug = keyof typeof BUGS;

interface Seen {
  readonly status: number | null;
  readonly text: string;
}

function runPlanted(program: string, bug: Bug, env: Readonly<Record<string, string>> = {}): Seen {
  const { status, stdout, stderr } = spawnSync(program, [String(BUGS[bug])], {
    encoding: 'utf8',
    env: { ...process.env, ASAN_OPTIONS: 'detect_stack_use_after_return=0:detect_leaks=0', ...env },
  });
  return { status, text: stdout + stderr };
}

/** Who must notice: the emulator itself or a sanitizer. */
const CAUGHT: readonly (readonly [bug: Bug, flavour: Flavour, words: RegExp])[] = [
  ['a shared array that is too short', 'asan', /heap-buffer-overflow/],
  ['a read past the end of global memory', 'asan', /heap-buffer-overflow/],
  ['rows past the end', 'asan', /heap-buffer-overflow/],
  ['an unaligned store', 'asan', /store to misaligned address/],
  ['half a warp in a collective', 'plain', /kernel standardise_rows: (line \d+: a collective of|lanes of warp \d+)/],
  ['a missing barrier in a reduction', 'tsan', /data race/],
  ['a missing barrier in the pipeline of copies', 'tsan', /data race/],
];

describe.skipIf(why !== undefined)(`planted bugs${why ? ` (SKIPPED: ${why})` : ''}`, { timeout: 1_800_000 }, () => {
  test.each(['plain', 'asan', 'tsan'] as const)('the sound kernels pass: %s', async (flavour) => {
    const program = await buildProgram('planted', flavour);
    for (const EMU_ORDER of flavour === 'plain' ? ['forward', 'reverse', 'random'] : ['forward'])
      expect(runPlanted(program, 'none', { EMU_ORDER, EMU_BLOCKS: EMU_ORDER }), EMU_ORDER).toEqual({
        status: 0,
        text: 'bank conflicts: 0\n',
      });
  });

  test.each(CAUGHT)('%s: %s', async (bug, flavour, words) => {
    const seen = runPlanted(await buildProgram('planted', flavour), bug);
    expect(seen.text).toMatch(words);
    expect(seen.status).not.toBe(0);
  });

  test.each(['a missing barrier in a reduction', 'one group of copies too many in flight'] as const)(
    '%s: a wrong number in some order',
    async (bug) => {
      const program = await buildProgram('planted', 'plain');
      const orders = ['forward', 'reverse', 'random'];
      expect(orders.map((EMU_ORDER) => runPlanted(program, bug, { EMU_ORDER }).status)).toContain(1);
    },
  );

  test("a store into the next block's row: a wrong number when blocks run backwards", async () => {
    const program = await buildProgram('planted', 'plain');
    expect(runPlanted(program, "a store into the next block's row", { EMU_BLOCKS: 'reverse' }).status).toBe(1);
  });

  test('rows of shared memory in the same banks are counted', async () => {
    const { status, text } = runPlanted(
      await buildProgram('planted', 'plain'),
      'rows of shared memory in the same banks',
    );
    expect(status).toBe(0);
    expect(Number(/bank conflicts: (\d+)/.exec(text)?.[1])).toBeGreaterThan(1000);
  });
});
