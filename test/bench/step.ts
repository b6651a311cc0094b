/**
 * `npm run bench -- step [--python PATH] [--model NAME …] [--policy fp32|bf16 …] [--pairs N] [--steps N] [--threads N] [--json FILE]`
 *
 * Training steps of the native CPU executor against PyTorch in one run, interleaved: each pair is a few steps of ours, then as many of the
 * peer's. Without `--python` (a Python with torch) the peer is skipped, visibly. Below each pair stands the share of the processor's ceiling
 * (multiply-adds in registers alone) that either reaches, and what the speed target would take.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCpuExecutor } from '../../main/engine/executors/cpu/index.ts';
import type { CpuSession } from '../../main/engine/executors/cpu/index.ts';
import { loadNative } from '../../main/engine/native/addon.ts';
import { measureCeilings, showCeilings } from './ceiling.ts';
import type { Ceilings } from './ceiling.ts';
import { BENCH_MODELS, benchModel } from './models.ts';
import type { BenchModel } from './models.ts';
import { startPeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { openSteps } from './trainingStep.ts';
import { median, spread } from './statistics.ts';
import type { Spread } from './statistics.ts';

/** Training steps of the CPU executor. */
export function ourStep(model: BenchModel, threads: number) {
  const opened = openSteps(openCpuExecutor({ threads }), model);
  const session = opened.session as CpuSession;
  return { ...opened, session, profile: () => session.profile(opened.accumulate) };
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
  /** GFLOP/s of all threads that no program can pass, the share of it that our step reaches, and the peer's. */
  readonly ceiling: number;
  readonly share: number;
  readonly peerShare?: number;
  /** What `ratio` is to reach. */
  readonly target: number | undefined;
  readonly losses: { readonly ours: number; readonly peer?: number };
}

interface Options {
  readonly python: string | undefined;
  readonly pairs: number;
  readonly steps: number;
  readonly threads: number;
}

type StepPeer = Peer<{ torch: string; parameters: number; fused: boolean }, { seconds: number[]; loss: number }>;

async function measure(model: string, policy: string, options: Options, ceilings: Ceilings): Promise<Row> {
  const shape = benchModel(model, policy);
  const { config, vocabulary, rows, tokens } = shape;
  const { step, session, programs } = await ourStep(shape, options.threads);
  const script = fileURLToPath(new URL('peers/step.py', import.meta.url));
  let peer: StepPeer | undefined;
  try {
    if (options.python !== undefined) {
      peer = await startPeer(options.python, script, {
        kind: config['model.kind'],
        settings: config,
        vocabulary,
        rows,
        policy,
        threads: options.threads,
      });
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
    const ceiling = ceilings[policy === 'fp32' ? 'f32' : 'bf16'].all;
    const gflops = (speeds: readonly number[]) => (programs.flopsPerToken * median(speeds)) / 1e9;
    return {
      model,
      policy,
      parameters: programs.parameterCount,
      tokensPerStep: tokens,
      ours: spread(ours),
      gflops: gflops(ours),
      ceiling,
      share: gflops(ours) / ceiling,
      ...(peer === undefined
        ? {}
        : {
            peer: spread(theirs),
            ratio: spread(ours.map((own, i) => own / theirs[i]!)),
            peerShare: gflops(theirs) / ceiling,
          }),
      target: shape.target,
      losses,
    };
  } finally {
    peer?.close();
    session.dispose();
  }
}

const whole = (x: number) => Math.round(x).toLocaleString('en');
const range = (s: Spread, digits: number) => `${s.min.toFixed(digits)}–${s.max.toFixed(digits)}`;

/** "171 of 235 GFLOP/s, 73 %; the peer 64 %; 1.3 times the peer would take 197 GFLOP/s". */
function share(row: Row): string {
  const percent = (x: number) => `${(100 * x).toFixed(0)} %`;
  const own = `${whole(row.gflops)} of ${whole(row.ceiling)} GFLOP/s, ${percent(row.share)}`;
  const { target } = row;
  if (row.peerShare === undefined) return own;
  const peer = `${own}; the peer ${percent(row.peerShare)}`;
  if (target === undefined) return peer;
  const needed = target * row.peerShare * row.ceiling;
  const beyond = needed > row.ceiling ? ', more than the processor has' : '';
  return `${peer}; ${target} times the peer would take ${whole(needed)} GFLOP/s${beyond}`;
}

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
  for (const name of values.model ?? []) benchModel(name, 'fp32');
  const { device } = openCpuExecutor();
  const threads = values.threads === undefined ? device.threads : Number(values.threads);
  console.log(`Training step on ${device.name}`);
  if (values.python === undefined) console.log('SKIPPED: the PyTorch peer (give --python PATH, a Python with torch)');
  const ceilings = measureCeilings(loadNative().native!, threads);
  console.log(showCeilings(ceilings, threads));
  const options = { python: values.python, pairs: Number(values.pairs), steps: Number(values.steps), threads };
  const rows: Row[] = [];
  for (const model of values.model ?? BENCH_MODELS) {
    for (const policy of values.policy ?? ['fp32', 'bf16']) {
      const row = await measure(model, policy, options, ceilings);
      rows.push(row);
      const against =
        row.peer === undefined || row.ratio === undefined
          ? ''
          : `  PyTorch ${whole(row.peer.median)}  ratio ${row.ratio.median.toFixed(2)} (${range(row.ratio, 2)}, ${options.pairs} pairs)`;
      console.log(
        `${model} ${policy}  ours ${whole(row.ours.median)} tokens/s (${range(row.ours, 0)}), ${whole(row.gflops)} GFLOP/s${against}  loss ${row.losses.ours.toFixed(3)} / ${row.losses.peer?.toFixed(3) ?? '–'}`,
      );
      console.log(`  ${share(row)}`);
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ device, ceilings, rows }, null, 2)}\n`);
  return { rows };
}
