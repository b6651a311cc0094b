import { describe, expect, test } from 'vitest';
import { compileForCuda, missingKernels } from '../../../main/engine/executors/cuda/target.ts';
import { random, SEED } from '../../oracles/random.ts';
import { evaluate } from '../../oracles/reference.ts';
import { caseProgram, relativeDifference, runCase } from '../executors/cpu/harness.ts';
import { CASES } from '../graph/cases/index.ts';
import { CASE_STATE_DATA } from '../graph/cases/leaves.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedExecutor } from './harness.ts';

const why = whyNoEmulator();
// That nothing is read too early is tried elsewhere.
process.env['EMU_PACE'] = '1000';

/** Sums and weights that are in 32 bits under every policy. */
const ONLY_F32: ReadonlySet<string> = new Set(['optimizerUpdate', 'scatterAddTo', 'crossEntropyWithGradient']);
const F32_BOUND = 1e-5;
/** One step of a 16-bit number, relative. */
const STEP = { bf16: 2 ** -7, f16: 2 ** -10 };

describe.skipIf(why !== undefined)(
  `operations on the emulated GPU equal the float64 interpreter${why ? ` (SKIPPED: ${why})` : ''}`,
  () => {
    // Catches a wrong kernel, stride, type, epilogue or place in memory, in forward or backward, on odd shapes.
    test.for(CASES.map((c, i) => [c.title, c, i] as const))(
      `%s (seed ${SEED})`,
      async ([, { op, make }, number], { skip }) => {
        const executor = await emulatedExecutor();
        for (const dtype of ONLY_F32.has(op) ? (['f32'] as const) : (['f32', 'bf16', 'f16'] as const)) {
          const r = random(SEED + number);
          const made = caseProgram(make(r), r, dtype);
          const missing = missingKernels(compileForCuda(made.program));
          if (missing.size > 0) skip(`needs ${[...missing].join(', ')}`);
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
                : [exact[i]!, 4 * relativeDifference(rounded[i]!, exact[i]!) + 2 * STEP[dtype]];
            expect(relativeDifference(got[name]!, want), `${dtype} ${name}`).toBeLessThanOrEqual(bound);
          });
        }
      },
    );
  },
);
