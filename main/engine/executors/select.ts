/** The executor that the setting `device` asks for. */
import type { Executor } from './executor.ts';
import { ExecutorUnavailableError } from './executor.ts';

/** Starts one executor. Throws {@link ExecutorUnavailableError} saying what is missing. */
type Opener = () => Promise<Executor>;

/** Every executor, the fastest first: the order in which `auto` tries them. Modules are loaded when first used. */
const EXECUTORS: Readonly<Record<string, Opener>> = {
  cuda: () => openNative('cuda'),
  cpu: () => openNative('cpu'),
  'tfjs-gpu': () => openTfjs('tfjs-gpu'),
  'tfjs-wasm': () => openTfjs('tfjs-wasm'),
  'tfjs-cpu': () => openTfjs('tfjs-cpu'),
};

/** Which executors each choice tries, in order. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  auto: ['cuda', 'cpu', 'tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu'],
  tfjs: ['tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu'],
};

async function openTfjs(kind: 'tfjs-cpu' | 'tfjs-wasm' | 'tfjs-gpu'): Promise<Executor> {
  const { openTfjsExecutor } = await import('./tfjs/index.ts');
  return await openTfjsExecutor(kind);
}

/** The native executors are modules of their own that an installation may lack: `openCpuExecutor`, `openCudaExecutor`. */
async function openNative(kind: 'cpu' | 'cuda'): Promise<Executor> {
  const url = new URL(`./${kind}/index.ts`, import.meta.url).href;
  let module: Record<string, (() => Promise<Executor> | Executor) | undefined>;
  try {
    module = (await import(url)) as typeof module;
  } catch (error) {
    const absent = (error as { url?: string }).url === url;
    const reason = absent ? 'is not part of this installation' : `does not load (${(error as Error).message})`;
    throw new ExecutorUnavailableError(`${kind}: the native executor ${reason}`, { cause: error });
  }
  const open = module[kind === 'cpu' ? 'openCpuExecutor' : 'openCudaExecutor'];
  if (open === undefined) throw new ExecutorUnavailableError(`${kind}: the native executor cannot be opened`);
  return await open();
}

export interface Selection {
  readonly executor: Executor;
  /** Executors that come before it and why each cannot be used. */
  readonly passedOver: readonly string[];
}

/**
 * Opens the executor for `device`. With `auto` (or `tfjs`) the first that starts and runs `policy` is taken. Throws
 * {@link ExecutorUnavailableError} naming the setting and what could be chosen instead.
 */
export async function selectExecutor(device: string, policy = 'fp32'): Promise<Selection> {
  const candidates = CHOICES[device] ?? (EXECUTORS[device] === undefined ? undefined : [device]);
  if (candidates === undefined)
    throw new ExecutorUnavailableError(
      `device is ${device}: allowed are ${[...Object.keys(CHOICES), ...Object.keys(EXECUTORS)].join(', ')}`,
    );
  const passedOver: string[] = [];
  for (const name of candidates) {
    try {
      const executor = await EXECUTORS[name]!();
      if (executor.device.policies.includes(policy)) return { executor, passedOver };
      passedOver.push(
        `${name}: does not run precision.policy ${policy} (it runs ${executor.device.policies.join(', ')})`,
      );
    } catch (error) {
      if (!(error instanceof ExecutorUnavailableError)) throw error;
      passedOver.push(error.message);
    }
  }
  const advice = candidates.length === 1 ? '; set device to auto to take the fastest executor found' : '';
  throw new ExecutorUnavailableError(
    `device is ${device}, which cannot be used here: ${passedOver.join('; ')}${advice}`,
  );
}

/** Name and reason of every executor here, for `doctor`. Opens each of them. */
export async function probeExecutors(): Promise<{ name: string; available: boolean; detail: string }[]> {
  const results: { name: string; available: boolean; detail: string }[] = [];
  for (const [name, open] of Object.entries(EXECUTORS)) {
    try {
      results.push({ name, available: true, detail: (await open()).device.name });
    } catch (error) {
      results.push({ name, available: false, detail: (error as Error).message });
    }
  }
  return results;
}
