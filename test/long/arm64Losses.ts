/** Losses of the quick start on the native executor of this process, for arm64.test.ts: `node arm64Losses.ts FOLDER STEPS`. */
import { join } from 'node:path';
import { openCpuExecutor } from '../../main/engine/executors/cpu/index.ts';
import { referenceRun } from '../gpu/reference.ts';

const [folder, steps] = process.argv.slice(2);
const losses: Record<string, readonly number[]> = {};
for (const policy of ['fp32', 'bf16'])
  losses[policy] = (
    await referenceRun(openCpuExecutor(), { policy, steps: Number(steps), folder: join(folder, policy) })
  ).losses;
console.log(JSON.stringify({ arch: process.arch, losses }));
process.exit(0);
