/**
 * What every compiled CUDA kernel takes of a multiprocessor: registers as ptxas reported them for each architecture, and the shared memory that launches
 * of our recipes and models ask for. Spilled registers are not in the table: the build refuses every kernel that spills.
 *
 *   npm run bench -- cuda-kernels [--json]
 */
import { parseArgs } from 'node:util';
import { isKeyMasked, vocabularyOf } from '../../main/engine/data/index.ts';
import { manifest } from '../../main/engine/executors/cuda/manifest.ts';
import { CUDA_POLICIES, compileForCuda } from '../../main/engine/executors/cuda/target.ts';
import { translate } from '../../main/engine/executors/cuda/translate.ts';
import { ARCHITECTURES } from '../../main/engine/native/cuda/build.js';
import { programsOf } from '../../main/engine/nn/programs.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../main/lab/settings/index.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { GPU_MODELS, gpuModel } from './models.ts';

interface Run {
  readonly config: Config;
  readonly vocabulary: number;
}

/** Registers and threads of a multiprocessor on every architecture, and the granules in which a warp takes registers. */
const SM = { registers: 65_536, granule: 256, threads: 1536 };

/** Every recipe, and the models that GPUs are timed with, at every precision. */
async function* runs(): AsyncGenerator<Run> {
  const registry = builtInRegistry();
  const recipes = await listRecipes();
  for (const precision of CUDA_POLICIES) {
    const policy = precision === 'tf32' ? 'fp32' : precision;
    for (const { source } of recipes) {
      const overrides = { 'precision.policy': policy, 'precision.tf32': precision === 'tf32' };
      const { config } = resolveConfig({ registry, recipe: source, overrides });
      yield { config, vocabulary: vocabularyOf(config) };
    }
    for (const model of GPU_MODELS) yield gpuModel(model, policy);
  }
}

/** The most bytes of shared memory that a launch of each kernel asks for. */
async function sharedMemory(): Promise<ReadonlyMap<string, number>> {
  const most = new Map<string, number>();
  for await (const { config, vocabulary } of runs()) {
    const training = buildTraining({ config, vocabularySize: vocabulary, keyMasked: isKeyMasked(config) });
    for (const call of programsOf(config)) {
      const { pieces } = translate(compileForCuda(call.build(training)), { arena: 256, tables: 256, state: () => 256 });
      for (const { launch } of pieces.flatMap(({ launches }) => launches))
        most.set(launch.fn, Math.max(most.get(launch.fn) ?? 0, launch.shared ?? 0));
    }
  }
  return most;
}

/** Blocks that registers and threads let one multiprocessor run at a time. */
const blocksAtOnce = (threads: number, registers: number): number => {
  const warp = Math.ceil((registers * 32) / SM.granule) * SM.granule;
  const warps = Math.min(Math.floor(SM.registers / warp), SM.threads / 32);
  return Math.floor(warps / Math.ceil(threads / 32));
};

export async function cudaKernelsBench(args: readonly string[] = []): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const shared = await sharedMemory();
  const rows = Object.values(manifest()).flatMap(({ kernels }) =>
    Object.entries(kernels).map(([kernel, { threads, registers }]) => ({
      kernel,
      threads,
      ...registers,
      // Of no launch here: only other shapes ask for it.
      shared: shared.get(kernel) ?? null,
      blocks: blocksAtOnce(threads, Math.max(...ARCHITECTURES.map((each) => registers[each]!))),
    })),
  );
  if (values.json) console.log(JSON.stringify(rows));
  else console.table(rows);
}
