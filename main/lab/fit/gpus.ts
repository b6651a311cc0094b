/** The table of GPUs (`resources/gpus.yaml`) and finding one by the name that people use. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { editDistance } from '../../../preload/shared/settings/nearest.ts';

const figure = z.number().positive().nullable();
const gpuSpec = z.strictObject({
  name: z.string().min(1),
  aliases: z.array(z.string()).default([]),
  /** MiB that a program sees. */
  memory_mib: figure,
  /** Dense TFLOP/s of matrix products with 32-bit accumulation; null: the card has none, or nobody knows. */
  bf16: figure,
  fp16: figure,
  fp32: figure,
  /** GB/s. */
  gb_per_s: figure,
  /** Compute capability where more can be installed for it than the driver. */
  capability: z
    .string()
    .regex(/^\d+\.\d$/u)
    .nullable()
    .default(null),
  /** Fields that were not checked on a card. */
  unverified: z.array(z.enum(['memory_mib', 'bf16', 'fp16', 'fp32', 'gb_per_s'])).default([]),
});
export type GpuSpec = z.infer<typeof gpuSpec>;

const GPU_TABLE = fileURLToPath(new URL('../../../resources/gpus.yaml', import.meta.url));

let table: readonly GpuSpec[] | undefined;

/** All known GPUs. */
export function gpuTable(): readonly GpuSpec[] {
  table ??= z.array(gpuSpec).parse(parse(readFileSync(GPU_TABLE, 'utf8')));
  return table;
}

/** A GPU that the table lacks, or a name that means several. The message is for the user. */
export class UnknownGpuError extends Error {
  override readonly name = 'UnknownGpuError';
  /** Names that were probably meant. */
  readonly nearest: readonly string[];

  constructor(message: string, nearest: readonly string[]) {
    super(message);
    this.nearest = nearest;
  }
}

/** Words that distinguish nothing. */
const NOISE = new Set([
  'nvidia',
  'geforce',
  'rtx',
  'gtx',
  'tesla',
  'quadro',
  'gpu',
  'generation',
  'edition',
  'workstation',
]);

/** `NVIDIA A100-SXM4-80GB` → a100 sxm 80gb. Sizes read alike with and without "B", 4080Ti like 4080 Ti. */
function words(name: string): string[] {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, ' ')
    .replaceAll(/(\d)ti\b/gu, '$1 ti')
    .replaceAll(/\b(\d+) ?gi?b?\b/gu, '$1gb')
    .replaceAll(/\bsxm\d\b/gu, 'sxm')
    .split(' ')
    .filter((word) => word !== '' && !NOISE.has(word));
}

const sameWords = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((word) => b.includes(word));
const namesOf = (gpu: GpuSpec): readonly string[] => [gpu.name, ...gpu.aliases];

/**
 * The GPU that `name` means: case, "NVIDIA GeForce RTX" and punctuation do not matter, and a part is enough where it fits one card
 * (`4090`, `A100 40`).
 *
 * @throws UnknownGpuError for a card that is not in the table, or a name that fits several; no card stands in for another
 */
export function findGpu(name: string): GpuSpec {
  const gpus = gpuTable();
  const wanted = words(name);
  const exact = gpus.filter((gpu) => namesOf(gpu).some((each) => sameWords(words(each), wanted)));
  if (exact.length === 1) return exact[0]!;
  const partial =
    wanted.length === 0 ? [] : gpus.filter((gpu) => namesOf(gpu).some((each) => contains(words(each), wanted)));
  if (partial.length === 1) return partial[0]!;
  if (partial.length > 1) {
    const names = partial.map((gpu) => gpu.name);
    throw new UnknownGpuError(
      `GPU is ${JSON.stringify(name)}, which fits several; allowed: one of ${names.join(', ')}`,
      names,
    );
  }
  const nearest = nearestGpus(wanted.join(' '), gpus);
  throw new UnknownGpuError(
    `GPU is ${JSON.stringify(name)}, which is not in the table (its memory and speed are unknown here); nearest names: ` +
      `${nearest.join(', ')}. All: ${gpus.map((gpu) => gpu.name).join(', ')}`,
    nearest,
  );
}

/** The entry of a card that the driver names; undefined when the table lacks it. */
export function findGpuByDriverName(name: string): GpuSpec | undefined {
  const wanted = words(name);
  return (
    gpuTable().find((gpu) => namesOf(gpu).some((each) => sameWords(words(each), wanted))) ??
    only(gpuTable().filter((gpu) => namesOf(gpu).some((each) => contains(wanted, words(each)))))
  );
}

const only = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);

/** Whether all of `part` occurs in `whole`; a size may be written without its unit. */
function contains(whole: readonly string[], part: readonly string[]): boolean {
  return part.every((word) => whole.includes(word) || (/^\d+$/u.test(word) && whole.includes(`${word}gb`)));
}

function nearestGpus(wanted: string, gpus: readonly GpuSpec[]): string[] {
  const distance = (gpu: GpuSpec): number =>
    Math.min(...namesOf(gpu).map((each) => editDistance(wanted, words(each).join(' '))));
  return gpus
    .map((gpu) => ({ name: gpu.name, distance: distance(gpu) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}
