/** The native executor for NVIDIA GPUs as the catalogue knows it. */
import { overheadOf, WHAT } from './overhead.ts';
import { planUse } from '../../compile/use.ts';
import { defineExecutor, MIB } from '../executorKind.ts';
import { stateBytes } from './layout.ts';
import { usableCard } from './card.ts';
import { findDriver, libraryHere } from './find.ts';
import { granules } from './granules.ts';
import { DRIVER_ALONE, profileOf } from './products.ts';
import type { DeviceProfile } from './products.ts';
import { capabilityOf } from './requirements.ts';
import { compileForCuda, CUDA_POLICIES } from './target.ts';
import { NOWHERE, translate } from './translate.ts';

export const cuda = defineExecutor({
  name: 'cuda',
  help: 'Native kernels on an NVIDIA GPU.',
  memory: 'gpu',
  policies: CUDA_POLICIES,
  // Cards without it are refused (requirements.ts), and planned for only by name.
  fastest: (multipliesBf16 = true) =>
    multipliesBf16
      ? { policy: 'bf16', why: 'its tensor cores multiply bf16' }
      : { policy: 'fp32', why: 'this card multiplies no bf16, and fp16 needs loss scaling' },
  holds: 'arena',
  // A context takes 287 MB (lazy loading) to over 1 GB, and the code of cuBLASLt some more; this is between, until a run has measured it.
  base: { bytes: 600 * MIB, basis: 'estimated', what: WHAT },
  baseOn: overheadOf,
  slack: 0,
  // Large products reach 60 to 80 % of the dense peak, small ones a third; a launch takes 2 µs replayed from a graph, else up to 10 µs.
  speeds: {
    basis: 'device',
    fast: { flops: 0.8, bytes: 0.9, launch: 2e-6 },
    slow: { flops: 0.3, bytes: 0.5, launch: 1e-5 },
  },
  advice: 'needs an NVIDIA card of 2020 or later with its driver; until then another executor is used',
  stateBytes,
  takenBytes: (...blocks) => blocks.reduce((sum, bytes) => sum + granules(bytes), 0),
  profileOn: async (capability, here) => {
    if (capability === null) return DRIVER_ALONE;
    const found = !here || (await libraryHere(capability, (await findDriver()).found?.cuda)) !== undefined;
    return profileOf(capabilityOf(capability), found);
  },
  use: (program, vocabulary, profile = DRIVER_ALONE) => {
    const compiled = compileForCuda(program, profile as DeviceProfile);
    const { tableBytes } = translate(compiled, NOWHERE);
    return { ...planUse(program.name, compiled.plan, vocabulary), tableBytes };
  },
  open: async (ordinal) => {
    const card = await usableCard(ordinal);
    return (await import('./index.ts')).cudaExecutor(card);
  },
});
