/**
 * Kernels against PyTorch on the shapes of a model with 6 layers of width 512 and 8,192 tokens per step: interleaved pairs,
 * medians, and the ratio of every pair's times (above 1 we are faster) with its spread. First comes the processor's ceiling, and products
 * show the share of it that they reach.
 *
 *   npm run bench -- kernels|gemm|attention [--python PATH] [--threads N] [--pairs N] [--only PART] [--json FILE]
 *
 * Without --python (a Python with torch) the peer is skipped, visibly.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadNative, pointer, signaturesOf } from '../../main/engine/native/addon.ts';
import type { Native } from '../../main/engine/native/addon.ts';
import type { Signatures } from '../../main/engine/native/encode.ts';
import { looseRecord } from '../oracles/kernelCall.ts';
import { measureCeilings, showCeilings } from './ceiling.ts';
import { startPeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { sparseAttentionBench } from './sparseAttention.ts';
import { median, spread } from './statistics.ts';

let native: Native;
let signatures: Signatures;

interface Case {
  id: string;
  kind: string;
  type: 'f32' | 'bf16';
  flops: number;
  /** Shapes, as the peer reads them too. */
  shape: Record<string, number>;
  program: (put: Put) => number[];
}
type Put = (elements: number, type: 'f32' | 'bf16' | 'index', limit?: number) => number;

const tokens = 8192;
const bytes = { f32: 4, bf16: 2, index: 4 } as const;

function gemm(label: string, m: number, n: number, k: number, ta: number, tb: number, type: 'f32' | 'bf16'): Case {
  // Weight gradients are accumulated in f32; the rest is written in the working type.
  const ctype = ta ? 'f32' : type;
  return {
    id: `gemm ${label} ${m}x${n}x${k} ${type}`,
    kind: 'gemm',
    type,
    flops: 2 * m * n * k,
    shape: { m, n, k, ta, tb },
    program: (put) => {
      const args = { a: put(m * k, type), b: put(n * k, type), c: put(m * n, ctype), m, n, k, ta, tb };
      const strides = { lda: ta ? m : k, ldb: tb ? k : n, ldc: n };
      const types = { atype: type, btype: type, ctype: ctype, compute: type };
      return looseRecord(signatures, 'gemm', { ...args, ...strides, ...types });
    },
  };
}

function attention(batch: number, t: number, heads: number, d: number, type: 'f32' | 'bf16', backward: boolean): Case {
  const n = batch * t * heads * d;
  const kind = backward ? 'attention_backward' : 'attention';
  return {
    id: `${kind} ${batch}x${t}x${heads}x${d} ${type}`,
    kind,
    type,
    // Causal: half of the pairs.
    flops: (backward ? 5 : 2) * batch * heads * t * t * d,
    shape: { batch, t, heads, d },
    program: (put) => {
      const row = heads * d;
      const strides = { sqb: t * row, sqt: row, sqh: d, skb: t * row, skt: row, skh: d };
      const more = { svb: t * row, svt: row, svh: d, sob: t * row, sot: row, soh: d };
      const args = {
        q: put(n, type),
        k: put(n, type),
        v: put(n, type),
        o: put(n, type),
        lse: put(batch * heads * t, 'f32'),
        batch,
        heads,
        kvheads: heads,
        tq: t,
        tk: t,
        d,
        dvalue: d,
        causal: 1,
        type: type,
        compute: type,
        scale: 1 / Math.sqrt(d),
        ...strides,
        ...more,
      };
      if (!backward) return looseRecord(signatures, 'attention', args);
      const grads = { dout: put(n, type), gq: put(n, type), gk: put(n, type), gv: put(n, type) };
      return looseRecord(signatures, 'attention_backward', { ...args, ...grads });
    },
  };
}

function simple(
  kind: string,
  type: 'f32' | 'bf16',
  shape: Record<string, number>,
  program: Case['program'],
  flops = 0,
): Case {
  return { id: `${kind} ${Object.values(shape).join('x')} ${type}`, kind, type, flops, shape, program };
}

function allCases(): Case[] {
  const cases: Case[] = [];
  for (const type of ['f32', 'bf16'] as const) {
    const t = type;
    cases.push(
      gemm('qkv', tokens, 1536, 512, 0, 1, type),
      gemm('proj', tokens, 512, 512, 0, 1, type),
      gemm('up', tokens, 2048, 512, 0, 1, type),
      gemm('down', tokens, 512, 2048, 0, 1, type),
      gemm('head/4', tokens / 4, 16_000, 512, 0, 1, type),
      gemm('dqkv', tokens, 512, 1536, 0, 0, type),
      gemm('dup', tokens, 512, 2048, 0, 0, type),
      gemm('ddown', tokens, 2048, 512, 0, 0, type),
      gemm('wqkv', 1536, 512, tokens, 1, 0, type),
      gemm('wproj', 512, 512, tokens, 1, 0, type),
      gemm('wup', 2048, 512, tokens, 1, 0, type),
      gemm('wdown', 512, 2048, tokens, 1, 0, type),
      gemm('whead/4', 16_000, 512, tokens / 4, 1, 0, type),
    );
    for (const backward of [false, true]) {
      cases.push(attention(64, 128, 8, 64, type, backward), attention(16, 256, 6, 64, type, backward));
      cases.push(attention(4, 1024, 8, 64, type, backward));
    }
    const [rows, n] = [tokens, 512];
    const norm = (put: Put) => ({ x: put(rows * n, type), gain: put(n, 'f32'), rows, n, xtype: t, eps: 1e-5 });
    cases.push(
      simple('norm', type, { rows, n }, (put) =>
        looseRecord(signatures, 'norm', { ...norm(put), y: put(rows * n, type), ytype: t }),
      ),
      simple('norm_backward', type, { rows, n }, (put) =>
        looseRecord(signatures, 'norm_backward', {
          ...norm(put),
          dy: put(rows * n, type),
          dx: put(rows * n, type),
          dgain: put(n, 'f32'),
          dytype: t,
          dxtype: t,
        }),
      ),
    );
    const wide = tokens * 2048;
    cases.push(
      simple('gelu', type, { n: wide }, (put) =>
        looseRecord(signatures, 'activation', {
          x: put(wide, type),
          y: put(wide, type),
          n: wide,
          type: t,
          act: 'gelu',
        }),
      ),
      simple('gelu_backward', type, { n: wide }, (put) => {
        const args = { x: put(wide, type), dy: put(wide, type), dx: put(wide, type), n: wide, type: t, act: 'gelu' };
        return looseRecord(signatures, 'activation_backward', args);
      }),
    );
    const [d, vocabulary, chunk] = [512, 16_000, 512];
    const some = 2048;
    cases.push(
      simple(
        'cross_entropy',
        type,
        { rows: some, d, vocabulary },
        (put) =>
          looseRecord(signatures, 'cross_entropy', {
            hidden: put(some * d, type),
            weight: put(vocabulary * d, type),
            target: put(some, 'index', vocabulary),
            loss: put(some, 'f32'),
            dhidden: put(some * d, type),
            dweight: put(vocabulary * d, 'f32'),
            logits: put(chunk * vocabulary, 'f32'),
            rows: some,
            d,
            vocabulary,
            chunk,
            htype: t,
            wtype: t,
            dhtype: t,
            compute: t,
            dscale: 1 / some,
          }),
        6 * some * d * vocabulary,
      ),
    );
  }
  const parameters = 8_000_000;
  cases.push(
    simple('adamw', 'f32', { n: parameters }, (put) => {
      const [p, g, m, v] = [1, 2, 3, 4].map(() => put(parameters, 'f32'));
      const one = put(16, 'f32');
      const numbers = { scale: one, lr: one, decay: one, bias1: one, bias2: one };
      const consts = { n: parameters, beta1: 0.9, beta2: 0.99, eps: 1e-8 };
      return looseRecord(signatures, 'optimizer', { p: p!, g: g!, m: m!, v: v!, ...numbers, ...consts });
    }),
  );

  return cases;
}

function prepare(c: Case) {
  const blocks: number[] = [];
  const put: Put = (elements, type, limit = 1) => {
    const block = native.allocate(elements * bytes[type] + 64);
    blocks.push(block);
    if (type === 'f32')
      native.write(
        block,
        0,
        Float32Array.from({ length: elements }, () => Math.random()),
      );
    // bf16 numbers from 0.5 to 1.
    if (type === 'bf16')
      native.write(
        block,
        0,
        Uint16Array.from({ length: elements }, () => 0x3f00 + Math.floor(Math.random() * 128)),
      );
    if (type === 'index')
      native.write(
        block,
        0,
        Int32Array.from({ length: elements }, () => Math.floor(Math.random() * limit)),
      );
    return pointer(block, 0);
  };
  const program = native.compile(Float64Array.from(c.program(put)));
  return {
    run() {
      const start = performance.now();
      native.runSync(program);
      return (performance.now() - start) / 1000;
    },
    free() {
      native.release(program);
      for (const block of blocks) native.free(block);
    },
  };
}

type KernelPeer = Peer<{ version: string }, { seconds: number }>;

/** Attention of all kinds; `--only sparse` leaves out the dense shapes. */
export async function attentionBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.only !== 'sparse') await kernelsBench(args, 'attention');
  await sparseAttentionBench(values.threads, Number(values.pairs));
}

const OPTIONS = {
  python: { type: 'string' },
  threads: { type: 'string' },
  pairs: { type: 'string', default: '5' },
  only: { type: 'string' },
  json: { type: 'string' },
} as const;

/** `only` narrows the cases to those whose id contains it. */
export async function kernelsBench(args: readonly string[], only = ''): Promise<void> {
  const { values: flags } = parseArgs({
    args: [...args],
    options: OPTIONS,
  });
  const wanted = flags.only ?? only;
  const loaded = loadNative();
  if (loaded.native === undefined) {
    console.log(`SKIPPED: ${loaded.reason}`);
    return;
  }
  native = loaded.native;
  if (flags.threads !== undefined) native.setThreads(Number(flags.threads));
  signatures = signaturesOf(native);
  const { level, threads } = native.info();
  const script = fileURLToPath(new URL('peers/kernels.py', import.meta.url));
  const other: KernelPeer | undefined =
    flags.python === undefined ? undefined : await startPeer(flags.python, script, {});
  if (other === undefined) console.log('SKIPPED: the PyTorch peer (give --python PATH, a Python with torch)');
  console.log(`level ${level}, ${threads} threads${other ? `, peer PyTorch ${other.hello.version}` : ''}`);
  const ceilings = measureCeilings(native, threads);
  console.log(showCeilings(ceilings, threads));
  const results = [];
  for (const c of allCases().filter((x) => x.id.includes(wanted))) {
    const own = prepare(c);
    own.run();
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let i = 0; i < Number(flags.pairs); i++) {
      ours.push(own.run());
      const question = { id: c.id, kind: c.kind, type: c.type, threads, ...c.shape };
      if (other) theirs.push((await other.ask(JSON.stringify(question))).seconds);
    }
    own.free();
    const speed = (x: number) => (c.flops ? `${(c.flops / x / 1e9).toFixed(0).padStart(5)} GFLOP/s` : '');
    const share =
      c.flops === 0 ? '' : ` ${(c.flops / median(ours) / 1e7 / ceilings[c.type].all).toFixed(0).padStart(3)} %`;
    const line = `${c.id.padEnd(42)} ${(median(ours) * 1e3).toFixed(2).padStart(8)} ms ${speed(median(ours))}${share}`;
    const ratios = other ? spread(ours.map((x, i) => theirs[i]! / x)) : undefined;
    const against = ratios
      ? ` peer ${(median(theirs) * 1e3).toFixed(2).padStart(8)} ms ${speed(median(theirs))} ratio ${ratios.median.toFixed(2)} (${ratios.min.toFixed(2)}–${ratios.max.toFixed(2)})`
      : '';
    console.log(line + against);
    results.push({
      id: c.id,
      seconds: median(ours),
      peerSeconds: other ? median(theirs) : null,
      flops: c.flops,
      ratios,
    });
  }
  other?.close();
  if (flags.json !== undefined)
    writeFileSync(flags.json, `${JSON.stringify({ level, threads, ceilings, results }, null, 2)}\n`);
}
