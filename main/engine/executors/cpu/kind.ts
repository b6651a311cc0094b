/** The native CPU executor as the catalogue knows it. */
import { aligned } from '../../compile/plan.ts';
import { planUse } from '../../compile/use.ts';
import { bytesOf } from '../../graph/value.ts';
import { loadNative, NATIVE_MEND } from '../../native/addon.ts';
import { ALL_POLICIES, defineExecutor, ENGINE_PROCESS, MIB } from '../executorKind.ts';
import { compileForCpu } from './target.ts';

export const cpu = defineExecutor({
  name: 'cpu',
  help: 'Native kernels on all cores of the processor: the fastest without a GPU.',
  memory: 'host',
  policies: ALL_POLICIES,
  fastest: () =>
    loadNative().native?.info().bf16Products === true
      ? { policy: 'bf16', why: 'this processor multiplies bf16 at twice the rate of fp32 or more' }
      : { policy: 'fp32', why: 'this processor has no instructions that multiply bf16, and widening it costs time' },
  holds: 'arena',
  base: ENGINE_PROCESS,
  threadBytes: 6 * MIB,
  slack: 0,
  // 15 to 80 % of the peak by instruction set.
  speeds: {
    basis: 'device',
    fast: { flops: 0.8, bytes: 1.5, launch: 1e-6 },
    slow: { flops: 0.15, bytes: 0.5, launch: 4e-5 },
  },
  advice: `${NATIVE_MEND}; until then another executor is used`,
  stateBytes: (state) => aligned(bytesOf(state)),
  use: (program, vocabulary) => planUse(program.name, compileForCpu(program).plan, vocabulary),
  open: async () => (await import('./index.ts')).openCpuExecutor(),
});
