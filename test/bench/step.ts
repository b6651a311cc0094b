/**
 * `npm run bench -- step [--python PATH] [--model NAME …] [--policy fp32|bf16 …] [--pairs N] [--steps N] [--threads N] [--json FILE]`
 *
 * Training steps of the native CPU executor against PyTorch in one run, interleaved: each pair is a few steps of ours, then as many of the
 * peer's. Without `--python` (a Python with torch) the peer is skipped, visibly.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCpuExecutor } from '../../main/engine/executors/cpu/index.ts';
import type { CpuSession } from '../../main/engine/executors/cpu/index.ts';
import type { TypedArray } from '../../main/engine/executors/executor.ts';
import { sizeOf } from '../../main/engine/graph/value.ts';
import { workingName } from '../../main/engine/nn/context.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { fillNormal } from '../../main/engine/random/philox.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import { startPeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { median, spread } from './statistics.ts';
import type { Spread } from './statistics.ts';

interface Shape {
  readonly vocabulary: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly context: number;
  readonly rows: number;
}

/** The three models of the speed target; the first and last differ in the size of the vocabulary. */
const MODELS: Readonly<Record<string, Shape>> = {
  '27.2M': { vocabulary: 16000, width: 512, depth: 6, heads: 8, context: 128, rows: 64 },
  '10.8M': { vocabulary: 65, width: 384, depth: 6, heads: 6, context: 256, rows: 16 },
  '30M': { vocabulary: 50304, width: 384, depth: 6, heads: 6, context: 128, rows: 64 },
};

/** A training step on random tokens, and the seconds that it took. */
async function ourStep(shape: Shape, policy: string, threads: number) {
  const config = {
    ...builtInRegistry().defaults,
    'model.context': shape.context,
    'model.depth': shape.depth,
    'model.width': shape.width,
    'model.heads': shape.heads,
    'precision.policy': policy,
  };
  const programs = buildTraining({ config, vocabularySize: shape.vocabulary, keyMasked: false });
  const session = openCpuExecutor({ threads }).open(programs.states) as CpuSession;
  const states = new Set(programs.states.map(({ name }) => name));
  for (const { name, shape: of, initial } of programs.parameters) {
    const data = new Float32Array(sizeOf(of)).fill(initial.kind === 'constant' ? initial.value : 0);
    if (initial.kind === 'normal') {
      fillNormal(data, 1, name);
      data.forEach((x, i) => {
        data[i] = x * initial.std;
      });
    }
    session.write(name, data);
    if (states.has(workingName(name, 'bf16'))) session.write(workingName(name, 'bf16'), data);
  }
  const accumulate = session.load(programs.accumulate(shape.rows, true));
  const update = session.load(programs.update());
  const tokens = shape.rows * shape.context;
  const random = () => new Int32Array(tokens).map(() => Math.floor(Math.random() * shape.vocabulary));
  const batches = Array.from({ length: 4 }, () => ({ tokens: random(), targets: random() }));
  const scalar = (value: number) => Float32Array.of(value);
  let count = 0;
  const step = async (): Promise<{ seconds: number; loss: number }> => {
    const batch = batches[count % batches.length]!;
    count++;
    const start = performance.now();
    const { lossSum } = await session.run(accumulate, {
      ...batch,
      key: Int32Array.of(1, 0, count, 0),
      lossScale: scalar(1 / tokens),
    });
    const inputs: Record<string, TypedArray> = {
      gradientScale: scalar(1),
      bias1: scalar(1 - 0.9 ** count),
      bias2: scalar(1 - 0.99 ** count),
    };
    for (const group of programs.groups) {
      inputs[`lr.${group.name}`] = scalar(3e-4);
      inputs[`decay.${group.name}`] = scalar(group.weightDecay);
    }
    await session.run(update, inputs);
    return { seconds: (performance.now() - start) / 1000, loss: lossSum![0]! / tokens };
  };
  return { step, session, programs, tokens, profile: () => session.profile(accumulate) };
}

interface Row {
  readonly model: string;
  readonly policy: string;
  readonly parameters: number;
  readonly tokensPerStep: number;
  /** Tokens per second, by pairs. */
  readonly ours: Spread;
  readonly gflops: number;
  readonly peer?: Spread;
  /** Ours over the peer's, pair by pair. */
  readonly ratio?: Spread;
  readonly losses: { readonly ours: number; readonly peer?: number };
}

interface Options {
  readonly python: string | undefined;
  readonly pairs: number;
  readonly steps: number;
  readonly threads: number;
}

type StepPeer = Peer<{ torch: string; parameters: number; fused: boolean }, { seconds: number[]; loss: number }>;

async function measure(model: string, policy: string, options: Options): Promise<Row> {
  const shape = MODELS[model]!;
  const { step, session, programs, tokens } = await ourStep(shape, policy, options.threads);
  const script = fileURLToPath(new URL('peers/step.py', import.meta.url));
  let peer: StepPeer | undefined;
  try {
    if (options.python !== undefined) {
      peer = await startPeer(options.python, script, { ...shape, policy, threads: options.threads });
      if (peer.hello.parameters !== programs.parameterCount) {
        throw new Error(`unequal work: ${programs.parameterCount} parameters against ${peer.hello.parameters}`);
      }
      await peer.ask('1');
    }
    await step();
    await step();
    const ours: number[] = [];
    const theirs: number[] = [];
    const losses: { ours: number; peer?: number } = { ours: 0 };
    for (let pair = 0; pair < options.pairs; pair++) {
      const times: number[] = [];
      for (let i = 0; i < options.steps; i++) {
        const { seconds, loss } = await step();
        times.push(seconds);
        losses.ours = loss;
      }
      ours.push(tokens / median(times));
      if (peer !== undefined) {
        const answer = await peer.ask(String(options.steps));
        theirs.push(tokens / median(answer.seconds));
        losses.peer = answer.loss;
      }
    }
    return {
      model,
      policy,
      parameters: programs.parameterCount,
      tokensPerStep: tokens,
      ours: spread(ours),
      gflops: (programs.flopsPerToken * median(ours)) / 1e9,
      ...(peer === undefined ? {} : { peer: spread(theirs), ratio: spread(ours.map((own, i) => own / theirs[i]!)) }),
      losses,
    };
  } finally {
    peer?.close();
    session.dispose();
  }
}

const whole = (x: number) => Math.round(x).toLocaleString('en');
const range = (s: Spread, digits: number) => `${s.min.toFixed(digits)}–${s.max.toFixed(digits)}`;

export async function stepBench(args: readonly string[]): Promise<{ rows: Row[] }> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      python: { type: 'string' },
      model: { type: 'string', multiple: true },
      policy: { type: 'string', multiple: true },
      pairs: { type: 'string', default: '5' },
      steps: { type: 'string', default: '2' },
      threads: { type: 'string' },
      json: { type: 'string' },
    },
  });
  for (const name of values.model ?? []) {
    if (MODELS[name] === undefined) throw new Error(`--model ${name}: allowed are ${Object.keys(MODELS).join(', ')}`);
  }
  const { device } = openCpuExecutor();
  const threads = values.threads === undefined ? device.threads : Number(values.threads);
  console.log(`Training step on ${device.name}`);
  if (values.python === undefined) console.log('SKIPPED: the PyTorch peer (give --python PATH, a Python with torch)');
  const options = { python: values.python, pairs: Number(values.pairs), steps: Number(values.steps), threads };
  const rows: Row[] = [];
  for (const model of values.model ?? Object.keys(MODELS)) {
    for (const policy of values.policy ?? ['fp32', 'bf16']) {
      const row = await measure(model, policy, options);
      rows.push(row);
      const against =
        row.peer === undefined || row.ratio === undefined
          ? ''
          : `  PyTorch ${whole(row.peer.median)}  ratio ${row.ratio.median.toFixed(2)} (${range(row.ratio, 2)}, ${options.pairs} pairs)`;
      console.log(
        `${model} ${policy}  ours ${whole(row.ours.median)} tokens/s (${range(row.ours, 0)}), ${whole(row.gflops)} GFLOP/s${against}  loss ${row.losses.ours.toFixed(3)} / ${row.losses.peer?.toFixed(3) ?? '–'}`,
      );
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ device, rows }, null, 2)}\n`);
  return { rows };
}
