import { afterAll, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { CASES } from '../../graph/cases/index.ts';
import { checkCase, typesOf } from '../checkCase.ts';
import { caseProgram, loadAddon, missingAddon, runCase, testLevels } from './harness.ts';

if (missingAddon !== undefined) console.warn(`SKIPPED: tests of the native CPU executor: ${missingAddon}`);

/** Cases that use a type without native kernels. */
const F16_CASES: ReadonlySet<string> = new Set(['cast between widths and kinds']);

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
        for (const dtype of typesOf(op, ['bf16'])) {
          const r = random(SEED + number);
          const made = caseProgram(make(r), r, dtype);
          for (const { output, difference, bound } of await checkCase(executor, made, dtype))
            expect(difference, `${dtype} ${output}`).toBeLessThanOrEqual(bound);
        }
      },
    );
  });
});
