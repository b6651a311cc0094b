/**
 * A launch with a bug, for sanitized.test.ts: `neighbour.ts reads` has a norm read the input beside its own, within the same arena. Without an
 * argument all is right. Ends with the process's code.
 */
import { newGraph } from '../../../../main/engine/graph/operation.ts';
import { input, norm, state } from '../../../../main/engine/graph/ops/index.ts';
import { program } from '../../../../main/engine/graph/program.ts';
import { emulatedExecutor, fence } from '../harness.ts';

/** Bytes of each input: the alignment of the arena, so that one follows the other. */
const BYTES = 256;
const [ROWS, WIDTH] = [4, 16];

const fenced = await fence();
const executor = await emulatedExecutor((piece) => {
  if (process.argv[2] === 'reads')
    // The first argument of the kernels of norms is what they read.
    for (const { args } of piece?.launches ?? []) args.writeBigUInt64LE(args.readBigUInt64LE(0) + BigInt(BYTES), 0);
  fenced(piece);
});
const graph = newGraph();
const [x, other] = [input(graph, 'x', [ROWS, WIDTH], 'f32'), input(graph, 'other', [ROWS, WIDTH], 'f32')];
const gain = state(graph, 'gain', [WIDTH], 'f32');
const y = norm(x, gain, { kind: 'layer', eps: 1e-5 });
const session = executor.open([{ name: 'gain', shape: [WIDTH], dtype: 'f32', category: 'parameters', scope: '' }]);
const loaded = session.load(program('norm', graph, { y, z: norm(other, gain, { kind: 'rms', eps: 1e-5 }) }));
const data = new Float32Array(ROWS * WIDTH).fill(1);
await session.run(loaded, { x: data, other: data });
session.dispose();
console.log('ran to its end');
