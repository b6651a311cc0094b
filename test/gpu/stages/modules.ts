import { manifest } from '../../../main/engine/executors/cuda/manifest.ts';
import type { Stage } from '../stage.ts';

/** The driver compiles every family: how long that takes, and whether every kernel is there. */
export const modules: Stage = {
  name: 'modules',
  seconds: 40,
  run: async ({ device, row }) => {
    const failed: string[] = [];
    for (const [family, { kernels }] of Object.entries(manifest())) {
      const began = performance.now();
      try {
        for (const name of Object.keys(kernels)) device().prepare(name);
        row({ family, kernels: Object.keys(kernels).length, ms: performance.now() - began });
      } catch (error) {
        failed.push(`${family}: ${(error as Error).message}`);
        row({ family, kernels: Object.keys(kernels).length, error: (error as Error).message });
      }
    }
    if (failed.length > 0) throw new Error(failed.join('; '));
  },
};
