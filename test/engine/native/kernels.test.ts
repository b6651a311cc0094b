import { afterEach, describe, expect, test } from 'vitest';
import { Arena, HALVES, Random, TYPES, call, expectClose, levels, native, numberOf, skipped } from './harness.ts';
import type { Type } from './harness.ts';
import { activation, activationGradient, uniformAt } from './reference.ts';

const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);

describe.skipIf(native === undefined).each(levels)(`kernels at level %s${skipped}`, (level) => {
  const arena = new Arena();
  afterEach(() => arena.clear());
  const start = (salt: number) => {
    native.setLevel(level);
    native.setThreads(2);
    return new Random(salt);
  };
  const near = (type: Type) => ({ f32: 5e-6, bf16: 6e-3, f16: 8e-4 })[type];

  // Catches wrong tails of rows, a mean taken over padding, and lost chunks of the parameter gradients.
  test('layer and RMS norm, forward and backward', () => {
    const r = start(1);
    for (let round = 0; round < 8; round++) {
      const type = r.pick(TYPES);
      const [rows, n, rms] = [r.int(1, 150), r.int(1, 90), r.int(0, 1)];
      const x = arena.put(r.array(rows * n, 3), type);
      const dy = arena.put(r.array(rows * n), type);
      const add = arena.put(r.array(rows * n), type);
      const [gain, bias] = [arena.put(r.array(n)), arena.put(r.array(n))];
      const y = arena.empty(rows * n, type);
      const dx = arena.empty(rows * n, type);
      const [dgain, dbias] = [arena.empty(n), arena.empty(n)];
      const common = { x: x.p, gain: gain.p, rows, n, xtype: x.type, rms, eps: 1e-5 };
      call('norm', { ...common, bias: bias.p, y: y.p, ytype: y.type });
      call('norm_backward', {
        ...common,
        dy: dy.p,
        add: add.p,
        dx: dx.p,
        dgain: dgain.p,
        dbias: dbias.p,
        dytype: dy.type,
        dxtype: dx.type,
        addtype: add.type,
      });
      const want = { y: new Float64Array(rows * n), dx: new Float64Array(rows * n) };
      const wg = new Float64Array(n);
      const wb = new Float64Array(n);
      const size = new Float64Array(rows * n);
      for (let i = 0; i < rows; i++) {
        const row = [...x.values.subarray(i * n, i * n + n)];
        const mean = rms ? 0 : sum(row) / n;
        const rstd = 1 / Math.sqrt(sum(row.map((v) => (v - mean) ** 2)) / n + 1e-5);
        const h = row.map((v) => (v - mean) * rstd);
        const g = h.map((_, d) => dy.values[i * n + d]! * gain.values[d]!);
        const m0 = rms ? 0 : sum(g) / n;
        const m1 = sum(g.map((v, d) => v * h[d]!)) / n;
        for (let d = 0; d < n; d++) {
          want.y[i * n + d] = h[d]! * gain.values[d]! + bias.values[d]!;
          want.dx[i * n + d] = add.values[i * n + d]! + rstd * (g[d]! - m0 - h[d]! * m1);
          size[i * n + d] = 1 + rstd * 3;
          wg[d]! += dy.values[i * n + d]! * h[d]!;
          wb[d]! += dy.values[i * n + d]!;
        }
      }
      const what = `${type} ${rows}x${n} rms ${rms}`;
      // With a variance near eps the centred differences lose bits, so columns of one or two are judged by their size.
      const loss = n < 3 ? 200 : 4;
      expectClose(arena.get(y), want.y, near(type), loss, `norm ${what}`);
      expectClose(
        arena.get(dx),
        want.dx,
        near(type),
        size.map((v) => v * loss),
        `norm dx ${what}`,
      );
      expectClose(arena.get(dgain), wg, 5e-6, rows * loss, `norm dgain ${what}`);
      expectClose(arena.get(dbias), wb, 5e-6, rows, `norm dbias ${what}`);
      arena.clear();
    }
  });

  // Catches errors of the vector functions anywhere in their range, infinities and NaN included.
  test('elementary functions in fused chains', () => {
    const r = start(2);
    const n = 5000;
    const special = [0, -0, 1, -1, 88.7, 89, -87, -88, -104, 1e-30, 1e30, Infinity, -Infinity, NaN, 4, -4, 0.625];
    const x = arena.put(Float32Array.from({ length: n }, (_, i) => special[i] ?? (r.uniform() * 2 - 1) * 12));
    const run = (op: string, imm = 0) => {
      const y = arena.empty(n);
      call('chain', {}, [1, n, 1, x.p, 0, 1, 1, y.p, 0, 1, 1, { enum: 'ChainOp', name: op }, 1, 0, 0, 0, imm]);
      return arena.get(y);
    };
    const check = (op: string, f: (v: number) => number, relative: number, absolute: number, imm = 0) => {
      const want = Float64Array.from(x.values, f);
      expectClose(run(op, imm), want.map(Math.fround), relative, absolute / relative, op);
    };
    // exp flushes results below 2^-126 to zero.
    check('exp', (v) => (v < -87.33654 ? 0 : Math.exp(v)), 3e-7, 1e-37);
    check('log', Math.log, 3e-7, 1e-7);
    check('tanh', Math.tanh, 4e-7, 1e-30);
    check('sigmoid', (v) => 1 / (1 + Math.exp(-v)), 4e-7, 1e-37);
    check('sqrt', Math.sqrt, 1e-7, 1e-30);
    check('softplus', (v) => (v > 30 ? v : Math.log1p(Math.exp(v))), 5e-7, 1e-7);
    check('sin', (v) => (Math.abs(v) > 1e6 && v < Infinity ? Math.sin(v) : Math.sin(v)), 2e-7, 1e-7);
    check('floor', Math.floor, 0, 0);
    check('neg', (v) => -v, 0, 0);
    const finite = x.values.map((v) => (Math.abs(v) < 50 ? v : 1));
    x.values = finite;
    native.write(x.p / 2 ** 44, 0, finite);
    for (const name of ['gelu', 'gelu_tanh', 'relu2', 'silu', 'relu'] as const) {
      check('act', (v) => activation(name, v), 1e-6, 1e-6, numberOf('Activation', name));
      check('act_grad', (v) => activationGradient(name, v), 2e-6, 2e-6, numberOf('Activation', name));
    }
    check('erf', (v) => 2 * (activation('gelu', v * Math.SQRT2) / (v * Math.SQRT2)) - 1 || 0, 1e-6, 1e-6);
  });

  // Catches wrong merging of dimensions, broadcasting strides, register reuse and block tails.
  test('fused chains with broadcasting equal the plain loops', () => {
    const r = start(3);
    const op = (name: string) => numberOf('ChainOp', name);
    const type = ({ type: name }: { type: string }) => numberOf('DType', name);
    for (let round = 0; round < 12; round++) {
      const size = [r.int(1, 7), r.int(1, 9), r.int(1, 40)];
      const [, b, c] = size as [number, number, number];
      const count = size[0]! * b * c;
      const strides = r.pick([
        [b * c, c, 1],
        [0, c, 1],
        [b * c, c, 0],
        [0, 0, 1],
        [1, size[0]!, size[0]! * b],
        [0, 0, 0],
      ]);
      const x = arena.put(r.array(count), r.pick(TYPES));
      const z = arena.put(r.array(count), r.pick(TYPES));
      const out = arena.empty(count);
      const low = arena.empty(count, 'bf16');
      const code = [
        [op('mul'), 2, 0, 1, 0, 0],
        [op('less'), 3, 0, 1, 0, 0],
        [op('add_imm'), 4, 1, 0, 0, 0.5],
        [op('select'), 2, 3, 2, 4, 0],
        [op('index'), 5, 0, 0, 0, 1],
        [op('fma'), 2, 2, 4, 5, 0],
      ];
      const inputs = [2, x.p, type(x), b * c, c, 1, z.p, type(z), ...strides];
      const outputs = [2, out.p, 0, 2, low.p, 1, 2];
      call('chain', {}, [3, ...size, ...inputs, ...outputs, code.length, ...code.flat()]);
      const want = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const [i0, i1, i2] = [Math.floor(i / (b * c)), Math.floor(i / c) % b, i % c];
        const p = x.values[i]!;
        const q = z.values[i0 * strides[0]! + i1 * strides[1]! + i2 * strides[2]!]!;
        want[i] = (p < q ? p * q : q + 0.5) * (q + 0.5) + i1;
      }
      const what = `chain ${size} strides ${strides}`;
      expectClose(arena.get(out), want, 1e-6, 1, what);
      expectClose(arena.get(low), want, 4e-3, 1e-3, `${what} bf16`);
      arena.clear();
    }
  });

  // Catches a wrong counter, lane or key of Philox, and block edges that are no multiple of four.
  test('dropout and uniform numbers equal Philox4x32-10', () => {
    const r = start(4);
    const n = 4097;
    const key = Uint32Array.from([0xdeadbeef, 0x12345678, 99, 2]);
    const seed = arena.raw(key).p;
    const x = arena.put(r.array(n));
    const y = arena.empty(n);
    const u = arena.empty(n);
    call('dropout', { x: x.p, y: y.p, seed, n, stream: 42, p: 0.25 });
    const op = numberOf('ChainOp', 'uniform');
    call('chain', { seed, stream: 42 }, [1, n, 0, 1, u.p, 0, 0, 1, op, 0, 0, 0, 0, 0]);
    const numbers = Float64Array.from({ length: n }, (_, p) => uniformAt(p, [...key], 42));
    expectClose(arena.get(u), numbers, 0, 0, 'uniform');
    expectClose(
      arena.get(y),
      numbers.map((v, i) => (v >= 0.25 ? x.values[i]! / 0.75 : 0)),
      1e-6,
      0,
      'dropout',
    );
  });

  // Catches logits of one chunk leaking into the next, wrong ties, ignored rows that still have gradient.
  test('cross-entropy from hidden states, loss, accuracy and gradients', () => {
    const r = start(5);
    for (let round = 0; round < 9; round++) {
      const half = r.pick(HALVES);
      const type = round % 3 === 0 ? 'f32' : half;
      const ltype = round % 3 === 1 ? half : 'f32';
      // Now and then deeper than one pass of the product, and more tiles in a row than lanes of a vector.
      const d = round === 7 ? r.int(1030, 1100) : r.int(1, 40);
      const [rows, vocabulary, chunk] = [r.int(1, 60), r.int(2, round === 4 ? 1200 : 150), r.int(1, 64)];
      const softcap = r.pick([0, 3]);
      // Logits of a deep product stay small enough that the soft-cap tells them apart in f32.
      const hidden = arena.put(r.array(rows * d, d > 40 ? 0.1 : 1), type);
      const weight = arena.put(r.array(vocabulary * d), type);
      const target = Int32Array.from({ length: rows }, () => r.int(-1, vocabulary - 1));
      const dloss = arena.put(r.array(rows));
      const [loss, correct] = [arena.empty(rows), arena.empty(rows)];
      const dhidden = arena.empty(rows * d, type);
      const before = arena.put(r.array(vocabulary * d));
      const dweight = arena.put(before.values);
      const logits = arena.empty(chunk * Math.ceil(vocabulary / 64) * 64, ltype);
      const arguments_ = {
        hidden: hidden.p,
        weight: weight.p,
        target: arena.raw(target).p,
        loss: loss.p,
        correct: correct.p,
        dloss: dloss.p,
        dhidden: dhidden.p,
        dweight: dweight.p,
        logits: logits.p,
        rows,
        d,
        vocabulary,
        chunk,
        htype: hidden.type,
        wtype: weight.type,
        dhtype: dhidden.type,
        ltype,
        compute: hidden.type,
        softcap,
        dscale: 0.5,
        beta: 1,
      };
      call('cross_entropy', arguments_);
      const wl = new Float64Array(rows);
      const wc = new Float64Array(rows);
      const wh = new Float64Array(rows * d);
      const ww = Float64Array.from(before.values);
      for (let i = 0; i < rows; i++) {
        if (target[i]! < 0) continue;
        const raw = Array.from({ length: vocabulary }, (_, v) => {
          let z = 0;
          for (let e = 0; e < d; e++) z += hidden.values[i * d + e]! * weight.values[v * d + e]!;
          return softcap ? softcap * Math.tanh(z / softcap) : z;
        });
        const top = Math.max(...raw);
        const total = sum(raw.map((z) => Math.exp(z - top)));
        wl[i] = top + Math.log(total) - raw[target[i]!]!;
        wc[i] = raw.indexOf(top) === target[i] ? 1 : 0;
        for (let v = 0; v < vocabulary; v++) {
          let g = Math.exp(raw[v]! - top) / total - (v === target[i] ? 1 : 0);
          g *= 0.5 * dloss.values[i]! * (softcap ? 1 - (raw[v]! / softcap) ** 2 : 1);
          for (let e = 0; e < d; e++) {
            wh[i * d + e]! += g * weight.values[v * d + e]!;
            ww[v * d + e]! += g * hidden.values[i * d + e]!;
          }
        }
      }
      const what = `cross-entropy ${type} logits ${ltype} ${rows}x${d}x${vocabulary} chunk ${chunk} cap ${softcap}`;
      const loose = { f32: 1e-5, bf16: 1e-2, f16: 2e-3 }[type];
      expectClose(arena.get(loss), wl, 1e-5, 1, `${what} loss`);
      expectClose(arena.get(correct), wc, 0, 1, `${what} correct`);
      expectClose(arena.get(dhidden), wh, loose, 1, `${what} dhidden`);
      expectClose(arena.get(dweight), ww, loose, 1, `${what} dweight`);
      if (ltype !== 'f32') {
        // Without gradients nothing per logit is kept: there is no memory for it.
        const alone = arena.empty(rows);
        call('cross_entropy', { ...arguments_, loss: alone.p, dhidden: -1, dweight: -1, logits: -1 });
        expect(arena.get(alone), `${what} without gradients`).toEqual(arena.get(loss));
      }
      arena.clear();
    }
  });

  // Catches every rule's formula, the order of its state, and an update that runs on an unusable gradient.
  test('optimizer rules over three steps, and none on an unusable gradient', () => {
    const r = start(6);
    const n = 1003;
    const [lr, decay, beta1, beta2, eps] = [0.01, 0.1, 0.9, 0.95, 1e-6];
    const variants = [
      { kind: 'adamw' },
      { kind: 'adam' },
      { kind: 'sgd', momentum: 0 },
      { kind: 'sgd', momentum: 0.9 },
      { kind: 'sgd', momentum: 0.9, nesterov: 1 },
      { kind: 'adagrad' },
      { kind: 'rmsprop', alpha: 0.9 },
      { kind: 'rmsprop', alpha: 0.9, centered: 1, momentum: 0.5 },
      { kind: 'rmsprop', alpha: 0.9, momentum: 0.5 },
    ] as const;
    for (const variant of variants) {
      const { momentum = 0, nesterov = 0, centered = 0, alpha = 0 } = variant as unknown as Record<string, number>;
      const p = arena.put(r.array(n));
      const [m, v, third] = [0, 1, 2].map(() => arena.put(new Float32Array(n))) as never as [
        typeof p,
        typeof p,
        typeof p,
      ];
      const copy = arena.empty(n, 'bf16');
      const w = Float64Array.from(p.values);
      const s = [0, 1, 2].map(() => new Float64Array(n));
      for (let step = 1; step <= 4; step++) {
        const g = arena.put(r.array(n));
        const scale = step === 4 ? NaN : 0.5;
        const [bias1, bias2] = [1 - beta1 ** step, 1 - beta2 ** step];
        const numbers = arena.put(Float32Array.from([scale, lr, decay, bias1, bias2]));
        call('optimizer', {
          p: p.p,
          g: g.p,
          m: m.p,
          v: v.p,
          third: third.p,
          copy: copy.p,
          copytype: copy.type,
          scale: numbers.p,
          lr: numbers.p + 4,
          decay: numbers.p + 8,
          bias1: numbers.p + 12,
          bias2: numbers.p + 16,
          n,
          kind: variant.kind,
          nesterov,
          centered,
          beta1,
          beta2,
          eps,
          momentum,
          alpha,
        });
        if (step === 4) break;
        for (let i = 0; i < n; i++) {
          let d = g.values[i]! * scale;
          if (variant.kind !== 'adamw') d += decay * w[i]!;
          const [a, b, c] = s as [Float64Array, Float64Array, Float64Array];
          if (variant.kind === 'adamw' || variant.kind === 'adam') {
            a[i] = beta1 * a[i]! + (1 - beta1) * d;
            b[i] = beta2 * b[i]! + (1 - beta2) * d * d;
            if (variant.kind === 'adamw') w[i]! *= 1 - lr * decay;
            w[i]! -= (lr * (a[i]! / bias1)) / (Math.sqrt(b[i]! / bias2) + eps);
          } else if (variant.kind === 'sgd') {
            a[i] = momentum * a[i]! + d;
            w[i]! -= lr * (momentum === 0 ? d : nesterov ? d + momentum * a[i]! : a[i]!);
          } else if (variant.kind === 'adagrad') {
            a[i]! += d * d;
            w[i]! -= (lr * d) / (Math.sqrt(a[i]!) + eps);
          } else {
            a[i] = alpha * a[i]! + (1 - alpha) * d * d;
            if (centered) b[i] = alpha * b[i]! + (1 - alpha) * d;
            let u = d / (Math.sqrt(a[i]! - (centered ? b[i]! ** 2 : 0)) + eps);
            const buffer = centered ? c : b;
            if (momentum) u = buffer[i] = momentum * buffer[i]! + u;
            w[i]! -= lr * u;
          }
        }
      }
      expectClose(arena.get(p), w, 2e-5, 1, `optimizer ${JSON.stringify(variant)}`);
      expectClose(arena.get(copy), w, 4e-3, 1e-3, `optimizer copy ${JSON.stringify(variant)}`);
      arena.clear();
    }
  });

  test('global norm of several arrays', () => {
    const r = start(7);
    const parts = [r.array(70_001), r.array(3), r.array(66_000)].map((x, i) => arena.put(x, i === 2 ? 'bf16' : 'f32'));
    const y = arena.empty(1);
    call(
      'global_norm',
      { y: y.p },
      parts.flatMap((x) => [x.p, x.length, { enum: 'DType', name: x.type }]),
    );
    const want = Math.sqrt(sum(parts.map((x) => x.values.reduce((a, v) => a + v * v, 0))));
    expectClose(arena.get(y), [want], 1e-6, 0, 'global norm');
  });

  // Catches rows added twice or not at all when indices repeat, and ignored indices that are read.
  test('gather and scatter-add', () => {
    const r = start(8);
    const [rows, n, vocabulary] = [77, r.int(1, 150), 13];
    const index = Int32Array.from({ length: rows }, () => r.int(-1, vocabulary - 1));
    const table = arena.put(r.array(vocabulary * n), 'bf16');
    const y = arena.empty(rows * n);
    const ip = arena.raw(index).p;
    call('gather', {
      table: table.p,
      index: ip,
      y: y.p,
      rows,
      n,
      vocabulary,
      tabletype: table.type,
    });
    const at = (i: number) => [Math.floor(i / n), i % n] as const;
    const want = Float64Array.from({ length: rows * n }, (_, i) => {
      const [row, d] = at(i);
      return index[row]! < 0 ? 0 : table.values[index[row]! * n + d]!;
    });
    expectClose(arena.get(y), want, 1e-6, 0, 'gather');
    const dy = arena.put(r.array(rows * n), 'bf16');
    const grad = arena.put(r.array(vocabulary * n));
    for (const beta of [1, 0]) {
      const sums = Float64Array.from(beta ? grad.values : new Float32Array(vocabulary * n));
      call('scatter_add', {
        dy: dy.p,
        index: ip,
        table: grad.p,
        rows,
        n,
        vocabulary,
        dytype: dy.type,
        scale: 0.5,
        beta,
      });
      for (let i = 0; i < rows * n; i++) {
        const [row, d] = at(i);
        if (index[row]! >= 0) sums[index[row]! * n + d]! += 0.5 * dy.values[i]!;
      }
      expectClose(arena.get(grad), sums, 1e-6, 1, `scatter-add beta ${beta}`);
    }
  });

  test('reductions, gated units, rotary, permute and casts', () => {
    const r = start(9);
    for (const [outer, n, inner] of [
      [3, 70, 33],
      [1, 40_000, 1],
      [19, 37, 1],
      [1, 130, 70],
    ] as const) {
      const x = arena.put(r.array(outer * n * inner), r.pick(TYPES));
      for (const kind of ['sum', 'mean', 'max', 'min', 'squares'] as const) {
        const y = arena.empty(outer * inner);
        call('reduce', { x: x.p, y: y.p, outer, n, inner, xtype: x.type, kind });
        const want = Float64Array.from({ length: outer * inner }, (_, e) => {
          const column = Array.from({ length: n }, (_2, i) => {
            return x.values[(Math.floor(e / inner) * n + i) * inner + (e % inner)]!;
          });
          if (kind === 'max' || kind === 'min') return column.reduce((a, b) => Math[kind](a, b));
          const total = sum(kind === 'squares' ? column.map((v) => v * v) : column);
          return kind === 'mean' ? total / n : total;
        });
        expectClose(
          arena.get(y),
          want,
          1e-6,
          kind === 'mean' ? 1 : Math.sqrt(n),
          `reduce ${kind} ${outer},${n},${inner}`,
        );
      }
    }
    const [rows, n] = [9, 53];
    const x = arena.put(r.array(rows * n, 5));
    const dy = arena.put(r.array(rows * n));
    const count = rows * n;
    const gate = arena.put(r.array(count, 3));
    const [y, da, db] = [0, 1, 2].map(() => arena.empty(count)) as never as [typeof x, typeof x, typeof x];
    call('glu', { a: gate.p, b: x.p, y: y.p, n: count, act: 'silu' });
    call('glu_backward', { dy: dy.p, a: gate.p, b: x.p, da: da.p, db: db.p, n: count, act: 'silu' });
    const f = gate.values.map((v) => activation('silu', v));
    expectClose(
      arena.get(y),
      f.map((v, i) => v * x.values[i]!),
      2e-6,
      1,
      'glu',
    );
    expectClose(
      arena.get(db),
      f.map((v, i) => v * dy.values[i]!),
      2e-6,
      1,
      'glu db',
    );
    const fa = gate.values.map((v, i) => activationGradient('silu', v) * dy.values[i]! * x.values[i]!);
    expectClose(arena.get(da), fa, 2e-6, 5, 'glu da');
    call('activation_backward', { dy: dy.p, x: gate.p, dx: da.p, n: count, act: 'gelu' });
    const ga = gate.values.map((v, i) => activationGradient('gelu', v) * dy.values[i]!);
    expectClose(arena.get(da), ga, 2e-6, 1, 'activation backward');

    const [batch, t, heads, d] = [2, 5, 3, 14];
    const q = arena.put(r.array(batch * t * heads * d));
    const turned = arena.empty(q.length);
    const table = arena.empty(t * d);
    const strides = { sxb: t * heads * d, sxt: heads * d, sxh: d, syb: t * heads * d, syt: heads * d, syh: d };
    call('rotary_table', { table: table.p, t, d, offset: 3, base: 10_000 });
    call('rotary', { x: q.p, y: turned.p, table: table.p, batch, t, heads, d, ...strides });
    const want = Float64Array.from(q.values, (_, i) => {
      const [e, position] = [i % d, (Math.floor(i / (heads * d)) % t) + 3];
      const pair = e % (d / 2);
      const angle = position * 10_000 ** ((-2 * pair) / d);
      const [u, v] = [q.values[i - e + pair]!, q.values[i - e + pair + d / 2]!];
      return e < d / 2 ? u * Math.cos(angle) - v * Math.sin(angle) : v * Math.cos(angle) + u * Math.sin(angle);
    });
    expectClose(arena.get(turned), want, 1e-6, 1, 'rotary');
    call('rotary', { x: turned.p, y: turned.p, table: table.p, batch, t, heads, d, inverse: 1, ...strides });
    expectClose(arena.get(turned), q.values, 1e-6, 1, 'rotary back');

    const p = arena.empty(q.length, 'bf16');
    const order = [batch, heads, t, d, t * heads * d, d, heads * d, 1];
    call('permute', { x: q.p, y: p.p, ytype: p.type }, [4, ...order]);
    const moved = Float64Array.from(q.values, (_, i) => {
      const [b, h, s, e] = [
        Math.floor(i / (heads * t * d)),
        Math.floor(i / (t * d)) % heads,
        Math.floor(i / d) % t,
        i % d,
      ];
      return q.values[((b * t + s) * heads + h) * d + e]!;
    });
    expectClose(arena.get(p), moved, 4e-3, 0, 'permute');
    const across = arena.empty(rows * n);
    call('permute', { x: x.p, y: across.p }, [2, n, rows, 1, n]);
    expectClose(
      arena.get(across),
      Float64Array.from(x.values, (_, i) => x.values[(i % rows) * n + Math.floor(i / rows)]!),
      ...([0, 1, 'transpose'] as const),
    );
    const [half, wide] = [arena.empty(count, 'bf16'), arena.empty(count)];
    call('cast', { x: x.p, y: half.p, n: count, ytype: half.type, scale: 2 });
    call('cast', { x: half.p, y: wide.p, n: count, xtype: half.type, scale: 0.5 });
    expectClose(arena.get(wide), x.values, 4e-3, 0, 'cast');
    const best = arena.raw(new Int32Array(rows));
    call('argmax', { x: x.p, y: best.p, rows, n });
    const tops = Array.from({ length: rows }, (_, i) => {
      const row = x.values.subarray(i * n, i * n + n);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    });
    expect([...arena.ints(best)]).toEqual(tops);
  });

  // Catches another rounding of ties, of subnormals and at infinity, and conversions that differ from level to level, in vectors and in their rest.
  test('f16 is what IEEE 754 says, to the bit: all its numbers, and what lies between each two', () => {
    start(9);
    const words = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const halves = new Float16Array(words.buffer);
    const exact = Float32Array.from(halves);
    const around = new Float32Array(1);
    const bits = new Uint32Array(around.buffer);
    const between: number[] = [65_519.996, 65_520, 65_536, 1e38, 2 ** -25, 2 ** -26, 1e-40];
    for (let i = 0; i < 0x7bff; i++) {
      around[0] = (exact[i]! + exact[i + 1]!) / 2;
      const middle = bits[0]!;
      for (const step of [-1, 0, 1]) {
        bits[0] = middle + step;
        between.push(around[0]!, -around[0]!);
      }
    }
    const x = arena.put(Float32Array.from([...exact, ...between]));
    const y = arena.empty(x.length, 'f16');
    call('cast', { x: x.p, y: y.p, n: x.length, ytype: 'f16', scale: 1 });
    const want = Float32Array.from(Float16Array.from(x.values));
    const got = arena.get(y);
    expect(got.findIndex((value, i) => !Object.is(value, want[i]))).toBe(-1);
    const back = arena.empty(x.length);
    call('cast', { x: y.p, y: back.p, n: x.length, xtype: 'f16', scale: 1 });
    const wide = arena.get(back);
    expect(wide.findIndex((value, i) => !Object.is(value, want[i]))).toBe(-1);
    // One by one: columns of three elements.
    const turned = arena.empty(x.length - (x.length % 3), 'f16');
    const rows = turned.length / 3;
    call('permute', { x: x.p, y: turned.p, ytype: 'f16' }, [2, 3, rows, 1, 3]);
    expect(
      arena.get(turned).findIndex((value, i) => !Object.is(value, want[(i % rows) * 3 + Math.floor(i / rows)])),
    ).toBe(-1);
  });
});
