import { afterAll, describe, expect, test } from 'vitest';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { CASES } from '../../graph/cases/index.ts';
import { checkCase, typesOf } from '../checkCase.ts';
import { caseProgram, loadAddon, missingAddon, testLevels } from './harness.ts';

if (missingAddon !== undefined) console.warn(`SKIPPED: tests of the native CPU executor: ${missingAddon}`);

/** Levels that convert f16 each in its own way; the others do as the last. */
const CONVERTING: ReadonlySet<string> = new Set(['portable', 'avx2', 'avx512']);

describe.skipIf(missingAddon !== undefined)('native operations equal the float64 interpreter', () => {
  const initial = missingAddon === undefined ? loadAddon().info().level : '';
  afterAll(() => {
    if (missingAddon === undefined) loadAddon().setLevel(initial);
  });
  describe.each(testLevels())('level %s', (level) => {
    // Catches a wrong kernel, stride, type or epilogue at any instruction level, in forward or backward, on odd shapes.
    test.each(CASES.map((c, i) => [c.title, c, i] as const))(
      `%s (seed ${SEED})`,
      async (_title, { op, make }, number) => {
        const executor = openCpuExecutor({ threads: 2 });
        loadAddon().setLevel(level);
        for (const dtype of typesOf(op, CONVERTING.has(level) ? ['bf16', 'f16'] : ['bf16'])) {
          const r = random(SEED + number);
          const made = caseProgram(make(r), r, dtype);
          for (const { output, difference, bound } of await checkCase(executor, made, dtype))
            expect(difference, `${dtype} ${output}`).toBeLessThanOrEqual(bound);
        }
      },
    );
  });
});
