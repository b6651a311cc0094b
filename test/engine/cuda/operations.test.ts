import { beforeAll, describe, expect, test } from 'vitest';
import { random, SEED } from '../../oracles/random.ts';
import { checkCase, typesOf } from '../executors/checkCase.ts';
import { caseProgram } from '../executors/cpu/harness.ts';
import { CASES } from '../graph/cases/index.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedDevice, emulatedExecutor } from './harness.ts';

const why = whyNoEmulator();
// That nothing is read too early is tried elsewhere.
process.env['EMU_PACE'] = '1000';

describe.skipIf(why !== undefined)(
  `operations on the emulated GPU equal the float64 interpreter${why ? ` (SKIPPED: ${why})` : ''}`,
  () => {
    beforeAll(emulatedDevice);
    // Catches a wrong kernel, stride, type, epilogue or place in memory, in forward or backward, on odd shapes.
    test.for(CASES.map((c, i) => [c.title, c, i] as const))(`%s (seed ${SEED})`, async ([, { op, make }, number]) => {
      const executor = await emulatedExecutor();
      // Sanitizers, under which everything takes ten times as long, see what is touched: of which type, each run chooses anew.
      const types = typesOf(op);
      const some = process.env['SWEEPLAB_EMULATOR'] === undefined ? types : [types[(SEED + number) % types.length]!];
      for (const dtype of some) {
        const r = random(SEED + number);
        const made = caseProgram(make(r), r, dtype);
        for (const { output, difference, bound } of await checkCase(executor, made, dtype))
          expect(difference, `${dtype} ${output}`).toBeLessThanOrEqual(bound);
      }
    });
  },
);
