/** The portable executors as the catalogue knows them: one kind for each backend of TensorFlow.js. */
import type { BaseBytes, ExecutorKind, Speeds } from '../executorKind.ts';
import { ALL_POLICIES, defineExecutor, ENGINE_PROCESS, MIB } from '../executorKind.ts';
import { hereOrPackaged, REINSTALL } from '../../installation.ts';
import { FAST, PLAIN } from './target.ts';
import type { TfjsCompiler } from './target.ts';
import { stateTensorBytes, tensorUse } from './use.ts';

interface Backend {
  readonly name: 'tfjs-gpu' | 'tfjs-wasm' | 'tfjs-cpu';
  readonly help: string;
  readonly memory: ExecutorKind['memory'];
  readonly variant: string;
  readonly needs?: string;
  readonly compiler: TfjsCompiler;
  readonly base: BaseBytes;
  readonly limitBytes?: number;
  readonly slack: number;
  readonly speeds: Speeds;
  readonly advice: string;
}

const backend = ({ compiler, ...facts }: Backend): ExecutorKind =>
  defineExecutor({
    ...facts,
    group: 'tfjs',
    policies: ALL_POLICIES,
    fastest: () => ({ policy: 'fp32', why: 'TensorFlow.js computes in 32 bits and rounds what is kept in 16' }),
    holds: 'tensors',
    stateBytes: stateTensorBytes,
    use: (program, vocabulary) => tensorUse(compiler, program, vocabulary),
    open: async () => (await import('./index.ts')).openTfjsExecutor(facts.name),
  });

export const tfjsGpu = backend({
  name: 'tfjs-gpu',
  help: 'TensorFlow.js on an NVIDIA GPU through libtensorflow: a portable second opinion.',
  memory: 'gpu',
  variant: 'TensorFlow.js',
  needs: '@tensorflow/tfjs-node-gpu',
  compiler: PLAIN,
  base: { bytes: 1024 * MIB, basis: 'estimated', what: 'CUDA context and libtensorflow' },
  slack: 0.25,
  speeds: {
    basis: 'device',
    fast: { flops: 0.5, bytes: 0.7, launch: 3e-5 },
    slow: { flops: 0.1, bytes: 0.3, launch: 2e-4 },
    wide: true,
  },
  advice: hereOrPackaged(
    'optional: needs @tensorflow/tfjs-node-gpu (npm install, with a network, on Linux or Windows with CUDA); nothing is missing without',
    'optional: packages leave it out; cuda is faster',
  ),
});

/**
 * One thread of a server processor (2.6 GHz, AVX-512), measured on the recipes quick and shakespeare: products at 3 to 15 GFLOP/s in
 * WebAssembly and 0.3 to 0.8 in plain JavaScript, element-wise operations at 0.4 to 1.2 GB/s.
 */
const oneThread = (slow: number, fast: number): Speeds => ({
  basis: 'fixed',
  fast: { single: fast, half: fast, bytes: 1.2e9, launch: 1e-5 },
  slow: { single: slow, half: slow, bytes: 4e8, launch: 5e-5 },
});

export const tfjsWasm = backend({
  name: 'tfjs-wasm',
  help: 'TensorFlow.js in WebAssembly, one thread: runs without a compiler.',
  memory: 'host',
  variant: 'TensorFlow.js wasm',
  compiler: FAST,
  base: ENGINE_PROCESS,
  // A 32-bit WebAssembly memory ends at 4 GiB.
  limitBytes: 4096 * MIB,
  slack: 0.25,
  speeds: oneThread(3e9, 1.5e10),
  advice: REINSTALL,
});

export const tfjsCpu = backend({
  name: 'tfjs-cpu',
  help: 'TensorFlow.js in plain JavaScript: runs everywhere, slowly; the reference.',
  memory: 'host',
  variant: 'TensorFlow.js cpu',
  compiler: FAST,
  base: ENGINE_PROCESS,
  slack: 0.5,
  speeds: oneThread(3e8, 8e8),
  advice: REINSTALL,
});
