import { random } from '../../oracles/random.ts';
import { caseProgram } from '../../engine/executors/cpu/harness.ts';
import { checkCase, typesOf } from '../../engine/executors/checkCase.ts';
import { CASES } from '../../engine/graph/cases/index.ts';
import { CardLostError, losesCard } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** The same in every session, so that two can be compared. */
const SEED = 20_260;

/** Every operation, forward and gradient, in every type against the float64 interpreter. */
export const operations: Stage = {
  name: 'operations',
  seconds: 90,
  run: async ({ executor, quick, row, from, at }) => {
    const wrong: string[] = [];
    for (const [number, { op, title, make }] of CASES.entries()) {
      if (number < from || (quick && number % 40 !== 0)) continue;
      at(number);
      for (const dtype of typesOf(op)) {
        const r = random(SEED + number);
        const made = caseProgram(make(r), r, dtype);
        try {
          for (const { output, difference, bound } of await checkCase(await executor(), made, dtype)) {
            const ok = difference <= bound;
            row({ case: title, dtype, output, difference, bound, ok });
            if (!ok) wrong.push(`${title} ${dtype} ${output}`);
          }
        } catch (error) {
          row({ case: title, dtype, error: (error as Error).message, ok: false });
          wrong.push(`${title} ${dtype}`);
          if (losesCard(error)) throw new CardLostError(`lost the card: ${wrong.join('; ')}`, { cause: error });
        }
      }
    }
    if (wrong.length > 0) throw new Error(`${wrong.length} wrong: ${wrong.slice(0, 20).join('; ')}`);
  },
};
