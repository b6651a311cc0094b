import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referenceRun } from '../reference.ts';
import type { Reference } from '../reference.ts';
import { doEach } from '../stage.ts';
import type { Stage } from '../stage.ts';

/** Relative distance of a loss from that of the CPU executor: 32-bit sums in another order, and 16-bit roundings at other places. */
const BOUND: Readonly<Record<string, number>> = { fp32: 1e-4, bf16: 2e-2, fp16: 2e-2 };

/** The quick start on the card: its losses beside those of the CPU executor, the same bits twice, and the same bits after an interruption. */
export const training: Stage = {
  name: 'training',
  seconds: 60,
  run: async ({ executor, carriedJson, quick, row }) => {
    const references = carriedJson<Record<string, Reference>>('training.json') ?? {};
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-gpu-training-'));
    try {
      await doEach(['fp32', 'bf16', 'fp16'], row, async (policy) => {
        const steps = quick ? 2 : 50;
        const train = async (name: string, stopAfter?: number): Promise<Reference> =>
          referenceRun(await executor(), { policy, steps, folder: join(folder, policy, name), stopAfter });
        const first = await train('first');
        const again = await train('again');
        const resumed = await train('resumed', steps >> 1);
        const reference = references[policy]?.losses ?? [];
        const distance = first.losses
          .slice(0, reference.length)
          .reduce((most, loss, i) => Math.max(most, Math.abs(loss / reference[i]! - 1)), 0);
        const sameTwice = first.bits === again.bits;
        const sameResumed = first.bits === resumed.bits;
        const compared = Math.min(reference.length, first.losses.length);
        row({ policy, steps, last: first.losses.at(-1)!, compared, distance, sameTwice, sameResumed });
        if (!sameTwice) throw new Error('two runs differ');
        if (!sameResumed) throw new Error('a resumed run differs');
        if (!(distance <= BOUND[policy]!)) throw new Error(`${distance} from the CPU's losses`);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
