/**
 * Starts TensorFlow.js backends. Starting one twice is harmless; several may be started in one process, and {@link activate}
 * selects the one that the following calls use.
 */
import { createRequire } from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { hereOrPackaged } from '../../installation.ts';
import { ExecutorUnavailableError } from '../executor.ts';

export type TfjsKind = 'tfjs-cpu' | 'tfjs-wasm' | 'tfjs-gpu';

/** Name under which TensorFlow.js registers each backend. */
const BACKEND_NAMES: Readonly<Record<TfjsKind, string>> = {
  'tfjs-cpu': 'cpu',
  'tfjs-wasm': 'wasm',
  'tfjs-gpu': 'tensorflow',
};

const started = new Map<TfjsKind, Promise<void>>();

/** Loads and initialises the backend once. Throws {@link ExecutorUnavailableError} saying what is missing. */
export function startBackend(kind: TfjsKind): Promise<void> {
  let start = started.get(kind);
  if (start === undefined) {
    start = initialise(kind);
    // A failure is not remembered: the user may have installed what was missing.
    start.catch(() => started.delete(kind));
    started.set(kind, start);
  }
  return start;
}

async function initialise(kind: TfjsKind): Promise<void> {
  const handlers = processHandlers();
  try {
    if (kind === 'tfjs-cpu') await import('@tensorflow/tfjs-backend-cpu');
    else if (kind === 'tfjs-wasm') await import('@tensorflow/tfjs-backend-wasm');
    else loadNodeGpu();
    const name = BACKEND_NAMES[kind];
    if (!(await tf.setBackend(name))) throw new Error(`backend ${name} did not initialise`);
    await tf.ready();
    if (kind === 'tfjs-gpu' && !usesGpu())
      throw new ExecutorUnavailableError(
        'tfjs-gpu: @tensorflow/tfjs-node-gpu is installed, but its libtensorflow finds no GPU that it can use and would compute on the ' +
          'processor (what it misses it writes to standard error); use a native executor instead',
      );
  } catch (error) {
    if (error instanceof ExecutorUnavailableError) throw error;
    throw new ExecutorUnavailableError(`${kind}: TensorFlow.js could not start this backend: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    // Emscripten's start code adds process-wide handlers that turn every rejection into a crash; they are none of its business.
    for (const [event, before] of handlers) {
      for (const listener of process.rawListeners(event)) {
        if (!before.includes(listener)) process.removeListener(event, listener as (...args: unknown[]) => void);
      }
    }
  }
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
const processHandlers = () => EVENTS.map((event) => [event, process.rawListeners(event)] as const);

function messageOf(error: unknown): string {
  return error instanceof Error
    ? error.message
    : String((error as { message?: unknown } | undefined)?.message ?? error);
}

const GPU_ADVICE = `use tfjs-wasm or a native executor instead${hereOrPackaged(
  ', or install it with its native library: npm install @tensorflow/tfjs-node-gpu (needs a network, install scripts allowed, and the CUDA ' +
    'and cuDNN libraries that its libtensorflow was built for)',
  ': packages leave it out',
)}`;

/** `@tensorflow/tfjs-node-gpu` calls functions that newer versions of Node have removed; they are put back first. */
function loadNodeGpu(): void {
  const legacy = util as unknown as Record<string, unknown>;
  legacy.isNullOrUndefined ??= (x: unknown) => x === null || x === undefined;
  legacy.isArray ??= Array.isArray;
  const require = createRequire(import.meta.url);
  // Else it takes the whole card when it starts, and nothing that is said of free memory is true any more.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH = 'true';
  try {
    require('@tensorflow/tfjs-node-gpu');
  } catch (error) {
    const absent =
      (error as { code?: string }).code === 'MODULE_NOT_FOUND' &&
      messageOf(error).includes("'@tensorflow/tfjs-node-gpu'");
    const reason = absent
      ? 'the optional package @tensorflow/tfjs-node-gpu is not installed'
      : `@tensorflow/tfjs-node-gpu is installed but its native library does not load (${messageOf(error).split('\n')[0]})`;
    throw new ExecutorUnavailableError(`tfjs-gpu: ${reason}`, { cause: error, mend: GPU_ADVICE });
  }
  if (tf.findBackendFactory('tensorflow') === null) {
    throw new ExecutorUnavailableError(
      'tfjs-gpu: @tensorflow/tfjs-node-gpu brought its own copy of @tensorflow/tfjs-core; install the version that Sweeplab uses ' +
        `(${tf.version_core})`,
    );
  }
}

/** Makes a started backend the current one; takes effect at once. */
export function activate(kind: TfjsKind): void {
  // An initialised backend is switched to before setBackend first awaits anything.
  if (tf.getBackend() !== BACKEND_NAMES[kind]) void tf.setBackend(BACKEND_NAMES[kind]);
}

const usesGpu = (): boolean => (tf.backend() as unknown as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;

/** What the backend runs on, for people. */
export async function describeBackend(kind: TfjsKind): Promise<string> {
  const version = `TensorFlow.js ${tf.version_core}`;
  if (kind === 'tfjs-cpu') return `JavaScript, 1 thread, ${version}`;
  if (kind === 'tfjs-wasm') {
    const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true;
    return `WebAssembly${simd ? ' SIMD' : ''}, 1 thread, ${version}`;
  }
  return `libtensorflow on the GPU, ${version}`;
}
