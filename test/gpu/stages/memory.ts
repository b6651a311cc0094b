import { gpuModel, TINY } from '../../bench/models.ts';
import { openSteps } from '../../bench/trainingStep.ts';
import type { Stage } from '../stage.ts';

const MIB = 2 ** 20;

/** What the driver counts beside what the plan holds; and that the largest micro-batch that fits runs, and the next one is refused. */
export const memory: Stage = {
  name: 'memory',
  seconds: 60,
  run: async ({ device, executor, quick, row }) => {
    const free = device().memory().free;
    const model = quick ? TINY : '10.8M';
    const rowsOf = async (rows: number): Promise<{ ok: boolean; planned: number; taken: number; error: string }> => {
      let planned = 0;
      try {
        const { step, session } = openSteps(await executor(), gpuModel(model, 'bf16', rows));
        try {
          await step();
          await step();
          planned = session.memory().deviceBytes ?? 0;
          return { ok: true, planned, taken: free - device().memory().free, error: '' };
        } finally {
          session.dispose();
        }
      } catch (error) {
        return { ok: false, planned, taken: 0, error: (error as Error).message };
      }
    };
    const first = await rowsOf(1);
    if (!first.ok) throw new Error(first.error);
    row({ model, rows: 1, ...first, overheadMib: (first.taken - first.planned) / MIB });
    if (quick) return;
    // The plan is linear in the rows, nearly: begin where it says that memory ends, and walk.
    const second = await rowsOf(2);
    const each = Math.max(MIB, second.planned - first.planned);
    let rows = Math.floor((free - first.taken) / each);
    while (rows > 1 && !(await rowsOf(rows)).ok) rows = Math.floor(rows * 0.98) - 1;
    const largest = await rowsOf(rows);
    const next = await rowsOf(Math.ceil(rows * 1.05) + 1);
    row({ model, rows, ...largest });
    row({ model, rows: Math.ceil(rows * 1.05) + 1, ...next });
    if (!largest.ok || next.ok) throw new Error('the largest micro-batch that fits was not found');
    if (!/memory/iu.test(next.error)) throw new Error(`the next one was refused with other words: ${next.error}`);
  },
};
