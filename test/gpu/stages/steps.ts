import { openSteps } from '../../bench/trainingStep.ts';
import { gpuModel, TINY } from '../../bench/models.ts';
import { doEach } from '../stage.ts';
import type { Stage } from '../stage.ts';
import { median } from '../timing.ts';

/** Behind the name of a model: without cuBLASLt. */
const OWN = ', own products';

/** Whole training steps in bf16, with cuBLASLt and without: milliseconds, tokens per second, what the memory plan said, and what is taken beside it. */
export const steps: Stage = {
  name: 'steps',
  seconds: 120,
  run: async ({ executor, quick, row }) => {
    const models = quick ? [TINY] : ['124M', '10.8M', '27.2M'];
    const names = models.flatMap((model) => [model, `${model}${OWN}`]);
    await doEach(names, row, async (name) => {
      const products = name.endsWith(OWN) ? 'own' : undefined;
      const model = name.replace(OWN, '');
      const shape = gpuModel(model, 'bf16');
      const { step, session, programs } = openSteps(await executor(products), shape);
      // Where there is no library, both are the same.
      if (products === undefined && session.products === 'own kernels') {
        session.dispose();
        return;
      }
      try {
        const count = quick ? 2 : 24;
        const ends: number[] = [];
        // One step is given while another is computed, as in training.
        let before: Promise<unknown> = Promise.resolve();
        for (let i = 0; i < count; i++) {
          const now = step();
          await before;
          before = now.then(() => ends.push(performance.now()));
        }
        await before;
        const times = ends.slice(1).map((end, i) => end - ends[i]!);
        const ms = median(times.slice(quick ? 0 : 4));
        const { deviceBytes = 0, overheadBytes = null } = session.memory();
        const tokensPerS = (shape.tokens / ms) * 1e3;
        const tflops = (programs.flopsPerToken * tokensPerS) / 1e12;
        row({ model: name, tokens: shape.tokens, ms, tokens_per_s: tokensPerS, tflops, deviceBytes, overheadBytes });
      } finally {
        session.dispose();
      }
    });
  },
};
