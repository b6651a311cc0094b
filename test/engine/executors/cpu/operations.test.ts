import { afterAll, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { evaluate } from '../../../oracles/reference.ts';
import { CASES } from '../../graph/cases/index.ts';
import { CASE_STATE_DATA } from '../../graph/cases/leaves.ts';
import { caseProgram, loadAddon, missingAddon, relativeDifference, runCase, testLevels } from './harness.ts';

if (missingAddon !== undefined) console.warn(`SKIPPED: tests of the native CPU executor: ${missingAddon}`);

/** Sums and weights that are in 32 bits under every policy. */
const ONLY_F32: ReadonlySet<string> = new Set(['optimizerUpdate', 'scatterAddTo', 'crossEntropyWithGradient']);
/** Cases that use a type without native kernels. */
const F16_CASES: ReadonlySet<string> = new Set(['cast between widths and kinds']);

const F32_BOUND = 1e-5;
/** One step of a 16-bit number, relative. */
const BF16_STEP = 2 ** -7;

describe.skipIf(missingAddon !== undefined)('native operations equal the float64 interpreter', () => {
  const initial = missingAddon === undefined ? loadAddon().info().level : '';
  afterAll(() => {
    if (missingAddon === undefined) loadAddon().setLevel(initial);
  });
  describe.each(testLevels())('level %s', (level) => {
    // Catches a wrong kernel, stride, type or epilogue at any instruction level, in forward or backward, on odd shapes.
    test.each(CASES.map((c, i) => [c.title, c, i] as const))(
      `%s (seed ${SEED})`,
      async (title, { op, make }, number) => {
        const executor = openCpuExecutor({ threads: 2 });
        loadAddon().setLevel(level);
        if (F16_CASES.has(title)) {
          const r = random(SEED);
          await expect(runCase(executor, caseProgram(make(r), r, 'f32'))).rejects.toThrow("'f16'; DType has");
          return;
        }
        for (const dtype of ONLY_F32.has(op) ? (['f32'] as const) : (['f32', 'bf16'] as const)) {
          const r = random(SEED + number);
          const made = caseProgram(make(r), r, dtype);
          const wanted = [...made.program.outputs.values()];
          const feeds = { s: CASE_STATE_DATA, ...made.feeds };
          const exact = evaluate(wanted, feeds);
          const rounded = evaluate(wanted, feeds, { rounded: true });
          const got = await runCase(executor, made);
          [...made.program.outputs.keys()].forEach((name, i) => {
            // In 16 bits results may lie as far from the exact ones as rounding every step brings them, a few times over:
            // kernels round at other places than the interpreter does.
            const [want, bound] =
              dtype === 'f32'
                ? [rounded[i]!, F32_BOUND]
                : [exact[i]!, 4 * relativeDifference(rounded[i]!, exact[i]!) + 2 * BF16_STEP];
            expect(relativeDifference(got[name]!, want), `${dtype} ${name}`).toBeLessThanOrEqual(bound);
          });
        }
      },
    );
  });
});
