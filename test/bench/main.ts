/**
 * `npm run bench [-- NAME [options]]`: speed, measured in one run against a peer where there is one. Never part of the tests: time depends on the
 * machine. Without a name, all that need no options run.
 */
type Bench = (args: string[]) => Promise<unknown>;

const BENCHES: Readonly<Record<string, { readonly about: string; load(): Promise<Bench> }>> = {
  step: {
    about: 'training steps of the native CPU executor against PyTorch',
    load: async () => (await import('./step.ts')).stepBench,
  },
  gemm: {
    about: 'matrix products of a training step against PyTorch',
    load: async () => async (args) => (await import('./kernels.ts')).kernelsBench(args, 'gemm '),
  },
  attention: {
    about: 'attention, forward and backward, against PyTorch, and sparse attention against causal attention',
    load: async () => async (args) => (await import('./kernels.ts')).attentionBench(args),
  },
  experts: {
    about: 'training steps of a mixture of experts against one wide MLP',
    load: async () => (await import('./experts.ts')).expertsBench,
  },
  ui: { about: 'the interface under load, in a real browser', load: async () => (await import('./ui.ts')).uiBench },
  board: {
    about: 'boards of many finished runs, in a real browser',
    load: async () => (await import('./board.ts')).boardBench,
  },
  desktop: {
    about: 'the desktop app from its start to a first curve, on the stand-in for Electron',
    load: async () => (await import('./desktop.ts')).desktopBench,
  },
  plan: {
    about: 'planning memory of one model and of a sweep',
    load: async () => (await import('./plan.ts')).planBench,
  },
  'cuda-model': {
    about: 'what a step takes on NVIDIA GPUs at best, from the launches of the executor',
    load: async () => (await import('./cudaModel.ts')).cudaModelBench,
  },
  'cuda-kernels': {
    about: 'registers and shared memory of every CUDA kernel',
    load: async () => (await import('./cudaKernels.ts')).cudaKernelsBench,
  },
  store: { about: 'writing and reading 10 million points', load: async () => (await import('./store.ts')).storeBench },
  endpoint: {
    about: 'scripts that report through the W&B client: points per second, and how long the lab is held up',
    load: async () => (await import('./endpoint.ts')).endpointBench,
  },
  lists: {
    about: 'lists and an export of 2,000 runs with 3 million points',
    load: async () => (await import('./lists.ts')).listsBench,
  },
  tokenize: {
    about: 'text to tokens against tiktoken and tokenizers',
    load: async () => (await import('./tokenize.ts')).tokenizeBench,
  },
  tokenizer: {
    about: 'training and using byte-level BPE',
    load: async () => (await import('./tokenizer.ts')).tokenizerBench,
  },
};

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && BENCHES[name] === undefined) {
  console.error(`No benchmark ${name}. There are:`);
  for (const [own, { about }] of Object.entries(BENCHES)) console.error(`  ${own.padEnd(10)} ${about}`);
  process.exit(2);
}
for (const [own, bench] of Object.entries(BENCHES)) {
  if (name !== undefined && own !== name) continue;
  console.log(`\n# ${own}: ${bench.about}`);
  await (
    await bench.load()
  )(own === name ? args : []);
}
